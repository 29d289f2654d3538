"""Networks of packages, exported with open sizes: the contract of the file against onnxruntime at several sizes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from benchmarks.packages.entry import Entry
from shapelint.terminal.quiet import quiet
from tests.onnx_graphs import differences

SIZES = [{"H": h, "W": w} for h, w in ((32, 64), (33, 64), (65, 97), (31, 40), (16, 16), (128, 96))]


@pytest.mark.parametrize(
    "name", ["smp Unet tu-mobilenetv3_small_050", "smp DeepLabV3Plus mobilenet_v2", "timm convnext_atto features"]
)
def test_an_exported_network_does_in_onnxruntime_as_its_contract_says(
    name: str, network: Callable[[str], Entry], tmp_path: Path
) -> None:
    file, sizes = str(tmp_path / "net.onnx"), {"image": {2: "H", 3: "W"}}
    with quiet(), torch.no_grad():
        module = network(name).build().eval()
        image = (torch.zeros(1, 3, 64, 96),)
        torch.onnx.export(module, image, file, dynamo=False, input_names=["image"], dynamic_axes=sizes)
    wrong, unknown = differences(file, SIZES)
    assert not wrong + unknown
