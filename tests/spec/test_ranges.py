"""The sizes that are written for TensorRT, OpenVINO, Core ML and bioimage.io are sizes at which the model runs."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

import shapelint
from shapelint.errors import SpecError
from shapelint.size.condition import all_of, equal
from shapelint.size.function import symbol
from shapelint.size.sets import SizeSet
from shapelint.spec.boxes import boxes
from tests.spec.nets import Joined, Odd, Rows

GOLDEN = Path(__file__).parent.parent / "golden"
FORMS = {"tensorrt": "sh", "openvino": "py", "coreml": "py", "bioimage": "yaml", "python": "py", "json": "json"}


class Halved(nn.Conv2d):
    """Gives half of the size, rounded down."""

    def __init__(self) -> None:
        super().__init__(3, 4, 4, stride=2, padding=1)


class Double(nn.Module):
    """The first input is twice as long as the second."""

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return a[..., ::2] + b


def test_the_texts_are_those_of_the_golden_files() -> None:
    report = shapelint.check(Joined(), "N,3,H,W")
    for form, suffix in FORMS.items():
        assert report.spec(form) == (GOLDEN / f"spec.{form}.{suffix}").read_text()


@pytest.mark.parametrize(("net", "spec"), [(Joined, "N,3,H,W"), (Rows, "1,1,H,W"), (Odd, "1,1,L")])
def test_the_profile_of_tensorrt_has_shapes_that_run(net: Any, spec: str) -> None:
    report = shapelint.check(net(), spec)
    shapes = re.findall(r"Shapes=\w+:([\dx]+)", report.spec("tensorrt"))
    least, usual, most = (tuple(map(int, shape.split("x"))) for shape in shapes)
    assert all(a <= b <= c for a, b, c in zip(least, usual, most, strict=True))
    with torch.device("meta"):
        for shape in (least, usual, most):
            net()(torch.empty(shape))


def test_largest_sizes_are_those_that_are_asked_for() -> None:
    text = shapelint.check(Joined(), "1,3,H,W", sizes={"H": range(30, 101), "W": range(30, 51)}).spec("openvino")
    assert '"image": PartialShape([1, 3, Dimension(32, 100), Dimension(32, 48)]),' in text


@pytest.fixture
def coremltools(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands for coremltools, which is not installed here: it keeps what it is given."""
    module = ModuleType("coremltools")
    for name in ("TensorType", "EnumeratedShapes", "RangeDim"):
        setattr(module, name, SimpleNamespace)
    monkeypatch.setitem(sys.modules, "coremltools", module)


@pytest.mark.usefixtures("coremltools")
@pytest.mark.parametrize(("net", "spec"), [(Joined, "N,3,H,W"), (Rows, "1,1,H,W"), (Double, ["1,1,2*L", "1,1,L"])])
def test_every_enumerated_shape_of_core_ml_runs(net: Any, spec: Any) -> None:
    scope: dict[str, Any] = {}
    exec(shapelint.check(net(), spec).spec("coreml"), scope)
    enumerated = [each.shape for each in scope["inputs"]]
    assert all(each.default in each.shapes and 1 < len(each.shapes) <= 128 for each in enumerated)
    for shapes in zip(*(each.shapes for each in enumerated), strict=True):
        with torch.device("meta"):
            net()(*map(torch.empty, shapes))


@pytest.mark.usefixtures("coremltools")
def test_a_range_of_core_ml_has_no_step() -> None:
    scope: dict[str, Any] = {}
    exec(shapelint.check(nn.Conv1d(1, 1, 5), "1,1,L").spec("coreml"), scope)
    dim = scope["inputs"][0].shape[2]
    assert (dim.lower_bound, dim.default, dim.upper_bound) == (5, 16384, 65536)


@pytest.mark.parametrize(
    ("net", "spec", "lines"),
    [
        (
            Halved,  # 5 gives 2, which is no straight line: so the even ones
            "1,3,H,W",
            [
                "{type: space, id: x, size: {min: 2, step: 2}}",
                "{type: space, id: x, size: {tensor_id: input, axis_id: x, offset: 0}, scale: 2.0}",
            ],
        ),
        (lambda: nn.Conv3d(1, 1, 3), "N,1,D,H,W", ["id: z, size: {min: 3, step: 1}", "axis_id: z, offset: -2}"]),
        (Rows, "1,1,H,W", ["{type: space, id: x, size: {tensor_id: x, axis_id: y}}"]),
    ],
)
def test_an_output_axis_of_bioimage_refers_to_the_input(net: Any, spec: str, lines: list[str]) -> None:
    text = shapelint.check(net(), spec).spec("bioimage")
    for line in lines:
        assert line in text


def test_every_box_of_cubes_has_one_axis_that_the_others_follow() -> None:
    depth, height, width = map(symbol, "DHW")
    cubes = SizeSet.where("DHW", all_of([equal(depth, height), equal(height, width)]))
    found = [box.at({box.axes[0].symbol: 3}) for box in boxes(cubes, {})]
    assert found
    assert all(size in cubes for size in found)


def test_what_a_description_of_bioimage_cannot_say_is_refused() -> None:
    with pytest.raises(SpecError, match=r"the axis 2\*L of `a` is a formula of symbols"):
        shapelint.check(Double(), ["1,1,2*L", "1,1,L"]).spec("bioimage")
    with pytest.raises(SpecError, match=r"no spec for bioimage\.io: the model has no spatial axis"):
        shapelint.check(nn.Linear(5, 3), "N,5").spec("bioimage")
