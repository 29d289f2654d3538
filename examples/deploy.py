"""From a model to a guarded call: export by its spec, onnxruntime at sizes of the contract, a refusal outside of it."""

import tempfile
from pathlib import Path

import numpy
import onnxruntime
import torch

import shapelint
from examples.unet65 import Net


class Deployed:
    """The model in onnxruntime, behind the size check that shapelint wrote: neither needs torch or shapelint."""

    def __init__(self, file: Path, size_check: str) -> None:
        self.session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        scope: dict = {}
        exec(size_check, scope)  # in a project: a module of its own, from `shapelint spec --for python -o sizes.py`
        self.check_size, self.run_padded = scope["check_size"], scope["run_padded"]

    def __call__(self, image: numpy.ndarray) -> numpy.ndarray:
        """What the model gives for an image; ValueError with the nearest sizes where it takes none of this size."""
        samples, _, rows, columns = image.shape
        self.check_size(samples, rows, columns)
        return self.session.run(None, {"image": image})[0]

    def padded(self, image: numpy.ndarray) -> numpy.ndarray:
        """What the model gives for an image of any size, which is padded to one that fits; cropped to its size."""
        return self.run_padded(self, image)


def deploy(net: torch.nn.Module, file: Path) -> Deployed:
    """The model, written to an ONNX file and deployed."""
    report = shapelint.check(net, "N,3,H,W")
    scope: dict = {}
    exec(report.spec("onnx"), scope)  # in a project: a module too, from `shapelint spec --for onnx -o export.py`
    scope["export"](net, file)
    return Deployed(file, report.spec("python"))


if __name__ == "__main__":
    net = Net().eval()
    with tempfile.TemporaryDirectory() as folder:
        deployed = deploy(net, Path(folder, "net.onnx"))
    for size in ((1, 3, 64, 48), (2, 3, 176, 32), (1, 3, 65, 65)):
        image = torch.rand(size)
        try:
            same = numpy.allclose(deployed(image.numpy()), net(image).detach().numpy(), atol=1e-4)
            print(size, "the same as in PyTorch" if same else "differs from PyTorch")
        except ValueError as error:
            print(size, "refused:", error)
            print(size, "padded and cropped:", deployed.padded(image.numpy()).shape)
