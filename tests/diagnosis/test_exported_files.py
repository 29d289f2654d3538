"""How exported files differ from their models: what was measured, and that the rules know it before any export.

Each rule's claim about a file is compared with what onnxruntime makes of that file.
"""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

import shapelint
import shapelint.engine
import shapelint.rulings
from shapelint.confirm.many import RuntimeTask, Worker
from shapelint.confirm.onnx_file import (
    Exporter,
    ExportRefused,
    FlatModule,
    OpenAxes,
    export_open,
)
from shapelint.diagnosis.resize_rounding import in_float32, otherwise
from shapelint.facts.finding import Finding, Severity
from shapelint.report.report import Report
from shapelint.terminal.quiet import quiet
from tests.drawn.load import load_path
from tests.oracle import run

CASES = Path(__file__).parent.parent / "cases"
QUICK, SLOW = Exporter.TORCHSCRIPT, Exporter.DYNAMO
Shape = tuple[int, ...]


def file_shapes(net: nn.Module, exported: Shape, *others: Shape, exporter: Exporter = QUICK) -> list[Shape | None]:
    """The first output's shape in onnxruntime at other sizes than that of the export; None where it fails."""
    net = net.eval()
    tensors = (torch.zeros(exported),)
    axes: OpenAxes = ({axis: f"axis_{axis}" for axis in range(2, len(exported))},)
    model = FlatModule(net, (tensors, {}))
    with quiet(), torch.no_grad():
        file = export_open(model, tensors, axes, exporter)
    with Worker("cpu") as worker:
        runs = list(worker.runs(RuntimeTask.of(file, model, tensors, [(other,) for other in others]), waiting=60.0))
    return [None if run.shapes is None else run.shapes[0] for run in runs]


def eager_shape(net: nn.Module, shape: Shape) -> Shape:
    return run(net.eval(), shape)[0]


def only(report: Report, code: str) -> Finding:
    (finding,) = (each for each in report.findings if each.code == code)
    return finding


def codes(report: Report) -> list[str]:
    return [finding.code for finding in report.findings if finding.code.startswith("SL5")]


def shaped(sizes: Mapping[str, int], *lead: int) -> Shape:
    return (*lead, *sizes.values())


class Stretching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.up(self.down(x), output_size=x.shape[-2:])  # type: ignore[no-any-return]


class Cutting(Stretching):
    """The same model as SL502 advises it."""

    def __init__(self) -> None:
        super().__init__()
        self.up.output_padding = (1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.up(self.down(x))[..., : x.shape[2], : x.shape[3]]  # type: ignore[no-any-return]


def test_output_size_is_refused_by_one_exporter_and_baked_by_the_other() -> None:
    assert file_shapes(Stretching(), (1, 3, 5, 5), (1, 3, 6, 6), (1, 3, 7, 7)) == [(1, 3, 5, 5), (1, 3, 7, 7)]
    with pytest.raises(ExportRefused, match="the exporter refuses aten::convolution"):
        file_shapes(Stretching(), (1, 3, 5, 5), exporter=SLOW)


def test_output_size_as_it_is_advised_exports_with_the_same_values() -> None:
    net, advised = Stretching().eval(), Cutting().eval()
    advised.load_state_dict(net.state_dict())
    shapes = [(1, 3, 5, 5), (1, 3, 6, 9), (1, 3, 8, 7)]
    for shape in shapes:
        x = torch.rand(shape)
        assert torch.equal(net(x), advised(x))
    assert file_shapes(Cutting(), (1, 3, 16, 19), *shapes) == shapes
    assert not codes(shapelint.check(Cutting(), "1,3,H,W"))


def test_output_size_is_one_warning_that_the_run_confirms() -> None:
    report = shapelint.check(Stretching(), "1,3,H,W", confirm=("cpu",))
    finding = only(report, "SL502")
    assert finding.severity is Severity.WARNING
    assert codes(report) == ["SL502"]
    wrong = [each for each in report.confirmations if each.dynamic and not each.ok]
    assert wrong
    assert all(each.observed != each.predicted and each.exporter == "dynamo=False" for each in wrong)


@pytest.mark.parametrize(("scale", "first"), [(1.4, (45, 85, 90)), (0.7, (90, 170, 180)), (2.3, (50, 90, 100))])
def test_a_factor_is_rounded_in_float32_at_just_the_sizes_that_are_named(scale: float, first: Shape) -> None:
    assert otherwise(scale)[:3] == first
    net = nn.Upsample(scale_factor=scale)
    sizes = sorted({*range(2, 60, 3), *otherwise(scale)[:6]})
    given = file_shapes(net, (1, 1, 20, 4), *((1, 1, size, 4) for size in sizes))
    assert given == [(1, 1, in_float32(size, scale), int(4 * scale)) for size in sizes]
    wrong = [size for size, shape in zip(sizes, given, strict=True) if shape != eager_shape(net, (1, 1, size, 4))]
    assert wrong == [size for size in sizes if size in otherwise(scale)]


@pytest.mark.parametrize("scale", [2.0, 0.5, 1.5, 0.25, 3.0, 1 / 3, 1.1])
def test_factors_that_are_rounded_alike(scale: float) -> None:
    assert not [size for size in otherwise(scale) if size < 260]


def test_rounding_is_found_in_the_sizes_of_the_layer_not_of_the_input() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 2, stride=2), nn.Upsample(scale_factor=1.4))
    finding = only(shapelint.check(net, "1,3,H,W", sizes={"H": range(2, 101, 2), "W": [8]}), "SL503")
    assert finding.message == "`1` makes 62 of 45, in onnxruntime 63: its factor 1.4 is rounded in float32"
    assert finding.notes == ("it does so where it takes 45", "that is for the input sizes: H only 90, W only 8")
    assert not codes(shapelint.check(net, "1,3,H,W", sizes={"H": range(2, 89, 2), "W": [8]}))


def test_rounding_at_one_size_is_one_finding_that_the_run_confirms() -> None:
    report = shapelint.check(nn.Upsample(scale_factor=1.4), (1, 3, 45, 8), confirm=("cpu",))
    assert codes(report) == ["SL503"]
    (confirmation,) = report.confirmations
    assert (confirmation.predicted, confirmation.observed) == (((1, 3, 62, 11),), ((1, 3, 63, 11),))
    assert "1x3x63x11 where 1x3x62x11 was predicted" in str(report)


def inferred(operator: str, size: int, window: tuple[int, int, int], opset: int) -> int:
    """The size that the shape inference of ONNX says a ceil_mode pool has."""
    kernel, stride, padding = window
    ends = [onnx.helper.make_tensor_value_info(name, 1, shape) for name, shape in (("x", [1, 1, size]), ("y", None))]
    node = onnx.helper.make_node(
        operator, ["x"], ["y"], kernel_shape=[kernel], strides=[stride], pads=[padding] * 2, ceil_mode=1
    )
    graph = onnx.helper.make_graph([node], "pool", ends[:1], ends[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=9)
    return int(onnx.shape_inference.infer_shapes(model).graph.output[0].type.tensor_type.shape.dim[2].dim_value)


@pytest.mark.parametrize(("operator", "pool"), [("MaxPool", nn.MaxPool1d), ("AveragePool", nn.AvgPool1d)])
def test_ceil_pools_are_told_just_where_the_rule_of_onnx_is_wrong(operator: str, pool: Any) -> None:
    for kernel, stride, padding in itertools.product((1, 2, 3), (1, 2, 3), (0, 1)):
        if padding > kernel // 2:
            continue
        layer, window = pool(kernel, stride, padding, ceil_mode=True), (kernel, stride, padding)
        sizes = range(max(2, kernel), 12)
        real = {size: eager_shape(layer, (1, 1, size))[2] for size in sizes}
        wrong = {size for size in sizes if inferred(operator, size, window, 20) != real[size]}
        assert all(inferred(operator, size, window, 22) == real[size] for size in sizes)
        told = {size for size in sizes if codes(shapelint.check(layer, (1, 1, size), select=("SL504",)))}
        assert told == wrong, window


def test_onnxruntime_has_the_size_of_a_ceil_pool_all_the_same() -> None:
    report = shapelint.check(nn.MaxPool2d(2, 3, ceil_mode=True), "1,3,H,W", confirm=("cpu",))
    assert codes(report) == ["SL504"]
    assert all(each.ok for each in report.confirmations)


BRANCHES = {
    "resize": """
        y = F.interpolate(x[..., ::2, ::2], scale_factor=2)
        if y.shape != x.shape:
            y = F.interpolate(y, size=x.shape[-2:])
        return torch.cat([y, x], 1)
    """,
    "pad": """
        if x.shape[-1] % 4:
            x = F.pad(x, [0, 4 - x.shape[-1] % 4])
        return F.avg_pool2d(x, 4)
    """,
    "crop": """
        y = F.interpolate(F.max_pool2d(x, 2, ceil_mode=True), scale_factor=2)
        if y.shape[-1] > x.shape[-1]:
            y = y[..., :-1]
        if y.shape[-2] > x.shape[-2]:
            y = y[..., :-1, :]
        return y + x
    """,
    "crop of what was padded": """
        right = -x.shape[-1] % 4
        y = F.interpolate(F.avg_pool2d(F.pad(x, (0, right)), 4), scale_factor=4)
        if right > 0:
            y = y[:, :, :, : x.shape[-1]].contiguous()
        return y
    """,
    "refused pad": """
        try:
            y = F.pad(x, [0, -x.shape[-1] % 8, 0, 0], mode="reflect")
        except RuntimeError:
            y = F.pad(x, [0, -x.shape[-1] % 8, 0, 0])
        if y.shape[-1] % 16:
            y = F.pad(y, [0, 8])
        return F.avg_pool2d(y, (1, 8))
    """,
}  # fmt: skip
EXPORTABLE = {
    "resize": """
        y = F.interpolate(x[..., ::2, ::2], scale_factor=2)
        return torch.cat([F.interpolate(y, size=x.shape[-2:]), x], 1)
    """,
    "pad": """
        y = F.interpolate(F.max_pool2d(x, 2), scale_factor=2)
        rows, columns = x.shape[-2] - y.shape[-2], x.shape[-1] - y.shape[-1]
        return torch.cat([F.pad(y, [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2]), x], 1)
    """,
    "crop": """
        y = F.interpolate(F.max_pool2d(x, 2, ceil_mode=True), scale_factor=2)
        return y[..., :x.shape[-2], :x.shape[-1]] + x
    """,
    "guard": """
        assert x.shape[-1] % 2 == 0, "an odd width"
        if x.shape[-2] % 2:
            raise ValueError("an odd height")
        return F.pixel_unshuffle(x, 2)
    """,
    "same end": """
        if x.shape[-1] > 50:
            return F.relu(x)
        return F.gelu(x)
    """,
}


def written(folder: Path, name: str, body: str) -> type[nn.Module]:
    file = folder / f"{name.replace(' ', '_')}.py"
    head = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n\nclass Net(nn.Module):\n"
    file.write_text(f"{head}    def forward(self, x):\n{textwrap.indent(textwrap.dedent(body).strip(), ' ' * 8)}\n")
    found: type[nn.Module] = load_path(file).Net
    return found


@pytest.mark.parametrize("name", BRANCHES)
def test_what_a_baked_branch_is_said_to_give_is_what_the_file_gives(name: str, tmp_path: Path) -> None:
    net = written(tmp_path, name, BRANCHES[name])
    report, analysis = analysed(net)
    assert set(codes(report)) == {"SL501"}
    for baked in analysis.portability.baked:
        exported, at = shaped(baked.exported, 1, 3), shaped(baked.at, 1, 3)
        assert eager_shape(net(), at) == baked.wanted
        assert file_shapes(net(), exported, at) == [baked.given]
        assert baked.at in baked.other
        assert baked.exported in baked.same
        if baked.right_from is not None:
            shapes = [(1, 3, height, width) for height, width in ((16, 16), (17, 20), (21, 18), (33, 35))]
            given = file_shapes(net(), shaped(baked.right_from, 1, 3), *shapes)
            assert given == [eager_shape(net(), shape) for shape in shapes]


def test_a_way_that_crops_longer_inputs_is_not_advised(tmp_path: Path) -> None:
    body = "if x.shape[-1] < 40:\n    x = F.pad(x, (0, 40 - x.shape[-1]))\nreturn F.avg_pool2d(x, (1, 10), (1, 5))"
    report, analysis = analysed(written(tmp_path, "short", body))
    assert codes(report) == ["SL501"]
    assert [each.right_from for each in analysis.portability.baked] == [None]


@pytest.mark.parametrize("name", EXPORTABLE)
def test_forms_that_export_well_get_no_word(name: str, tmp_path: Path) -> None:
    net = written(tmp_path, name, EXPORTABLE[name])
    assert not codes(shapelint.check(net, "1,3,H,W"))
    shapes = [(1, 3, height, width) for height, width in ((16, 16), (18, 20), (34, 62), (96, 42))]
    assert file_shapes(net(), (1, 3, 16, 20), *shapes) == [eager_shape(net(), shape) for shape in shapes]


def analysed(net: type[nn.Module], spec: str = "1,3,H,W") -> tuple[Report, Any]:
    """The report on a model, and the analysis behind it."""
    kept: list[Any] = []
    rules = shapelint.rulings.installed_rules()

    class Keeper:
        code, name, valid, invalid = "XY999", "keeper", (), ()

        def check(self, analysis: Any) -> list[Finding]:
            kept.append(analysis)
            return []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shapelint.engine, "select_rules", lambda *_: (*rules, Keeper()))
        report = shapelint.check(net, spec)
    return report, kept[0]


@pytest.mark.parametrize("exporter", Exporter)
def test_if_the_shapes_differ_interpolate_is_baked_by_both_exporters(exporter: Exporter) -> None:
    net = load_path(CASES / "c411_ok_resize_if_different.py").Net()
    shapes = [(1, 3, size, size + 3) for size in (16, 17, 24, 30, 40, 75)]
    wrong = [given != eager_shape(net, shape) for given, shape in
             zip(file_shapes(net, (1, 3, 16, 19), *shapes, exporter=exporter), shapes, strict=True)]  # fmt: skip
    assert wrong == [False, True, False, True, False, True]


def test_a_divergence_that_a_rule_foretells_is_told_once() -> None:
    report = shapelint.check(f"{CASES / 'c411_ok_resize_if_different.py'}:Net", "1,3,H,W", confirm=("cpu",))
    assert codes(report) == ["SL501"]
    assert any(not each.ok for each in report.confirmations)
    assert {each.exporter for each in report.confirmations if each.dynamic} == {"", "dynamo=False"}


def test_a_size_kept_as_a_number_is_told_by_the_run_alone() -> None:
    report = shapelint.check(f"{CASES / 'c212_ok_unet_pads_the_difference.py'}:Net", "1,3,H,W", confirm=("cpu",))
    finding = only(report, "SL505")
    assert finding.severity is Severity.WARNING
    ran = f"run by CPUExecutionProvider of onnxruntime {onnxruntime.__version__}, exported with dynamo="
    assert finding.notes[0].startswith(ran)
    assert codes(report) == ["SL505"]


def test_a_layer_that_onnxruntime_refuses_is_told_once() -> None:
    net = nn.ConvTranspose2d(3, 3, 3, dilation=2, padding=2, output_padding=1)
    report = shapelint.check(net, "1,3,H,W", confirm=("cpu",))
    assert [finding.code for finding in report.findings if finding.severity is not Severity.NOTE] == ["SL104"]
    assert not any(each.ok for each in report.confirmations if each.exporter)


def test_max_unpool_of_odd_sizes_with_its_size_agrees() -> None:
    report = shapelint.check(f"{CASES / 'c412_ok_segnet_output_size.py'}:Net", "1,3,H,W", confirm=("cpu",))
    assert not codes(report)
    assert all(each.ok for each in report.confirmations)


@pytest.mark.parametrize("transposed", [False, True])
def test_convolutions_agree_with_onnxruntime(transposed: bool) -> None:
    generator = numpy.random.default_rng(0)
    for _ in range(4):
        kernel, stride, dilation = (int(generator.integers(1, top)) for top in (5, 4, 3))
        padding = int(generator.integers(0, dilation * (kernel - 1) // 2 + 1))
        layer: nn.Module = nn.Conv2d(3, 4, kernel, stride, padding, dilation)
        if transposed:
            extra = int(generator.integers(0, stride))
            layer = nn.ConvTranspose2d(3, 4, kernel, stride, padding, extra, dilation=dilation)
        found = shapelint.check(layer, "1,3,H,W", confirm=("cpu",)).confirmations
        assert all(each.ok for each in found), layer
        assert sum(each.dynamic and each.observed is not None for each in found) >= 5
