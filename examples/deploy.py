"""From a model to a guarded call: spec, export, onnxruntime at sizes of the contract, a refusal outside of it."""

import io

import numpy
import onnxruntime
import torch

import shapelint
from examples.unet65 import Net


class Deployed:
    """The model in onnxruntime, behind the size check that shapelint wrote: neither needs torch or shapelint."""

    def __init__(self, file: bytes, size_check: str) -> None:
        self.session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        scope: dict = {}
        exec(size_check, scope)  # in a project: a module of its own, from `shapelint spec --for python -o sizes.py`
        self.check_size = scope["check_size"]

    def __call__(self, image: numpy.ndarray) -> numpy.ndarray:
        """What the model gives for an image; ValueError with the nearest sizes where it takes none of this size."""
        samples, _, rows, columns = image.shape
        self.check_size(samples, rows, columns)
        return self.session.run(None, {"image": image})[0]


def exported(net: torch.nn.Module, spec: str) -> bytes:
    """The ONNX file of a model whose open sizes are those of its spec for torch.export."""
    scope: dict = {}
    exec(spec, scope)  # in a project: pasted, or `shapelint spec --for torch-export -o spec.py`
    program = torch.export.export(net, scope["args"], scope["kwargs"], dynamic_shapes=scope["dynamic_shapes"])
    file = io.BytesIO()
    torch.onnx.export(program, dynamo=True, input_names=["image"], verbose=False).save(file)
    return file.getvalue()


def deploy(net: torch.nn.Module) -> Deployed:
    """The model, deployed."""
    report = shapelint.check(net, "N,3,H,W")
    return Deployed(exported(net, report.spec("torch-export")), report.spec("python"))


if __name__ == "__main__":
    net = Net().eval()
    deployed = deploy(net)
    for size in ((1, 3, 64, 48), (2, 3, 176, 32), (1, 3, 65, 65)):
        image = torch.rand(size)
        try:
            same = numpy.allclose(deployed(image.numpy()), net(image).detach().numpy(), atol=1e-4)
            print(size, "the same as in PyTorch" if same else "differs from PyTorch")
        except ValueError as error:
            print(size, "refused:", error)
