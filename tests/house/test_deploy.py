"""The example of a deployment: the exported model agrees with PyTorch at sizes of the contract, and refuses others."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
import torch

from examples.deploy import deploy
from examples.unet65 import Net


@pytest.mark.filterwarnings("ignore")
def test_a_deployed_model_does_as_its_contract_says(tmp_path: Path) -> None:
    net = Net().eval()
    deployed = deploy(net, tmp_path / "net.onnx")
    for size in ((1, 3, 64, 48), (2, 3, 176, 32), (1, 3, 16, 16)):
        image = torch.rand(size)
        assert numpy.allclose(deployed(image.numpy()), net(image).detach().numpy(), atol=1e-4)
    image = numpy.zeros((1, 3, 65, 65), dtype=numpy.float32)
    with pytest.raises(ValueError, match=r"1x65x65 does not fit: .* the nearest are 1x64x64 and 1x80x80"):
        deployed(image)
    assert deployed.padded(image).shape == (1, 2, 65, 65)
