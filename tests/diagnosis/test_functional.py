"""Layers that a module calls as a function, with weights of its own: blamed, repaired and written like modules."""

from __future__ import annotations

from pathlib import Path

import pytest

import shapelint
from shapelint.edit.document import texts
from tests.diagnosis.test_at_fault import report
from tests.drawn.load import load_path
from tests.oracle import run

_HEAD = """
import torch.nn.functional as F
from torch import ones
from torch.nn import Conv2d, Module, Parameter


class Up(Module):
    def __init__(self):
        super().__init__()
        self.weight = Parameter(ones(4, 4, {kernel}, {kernel}))

    def forward(self, x):
        return F.conv_transpose2d(x, self.weight{more})


class Net(Module):
    def __init__(self):
        super().__init__()
        self.down, self.deeper = Conv2d(4, 4, 3, 2, 1), Conv2d(4, 4, 3, 2, 1)
        self.up, self.last = Up(), Up()

    def forward(self, x):
        return self.last({inner})
"""
_ONE, _TWO = "self.down(x)", "self.up(self.deeper(self.down(x)))"


def _written(path: Path, *, kernel: int = 3, more: str = ", None, 2, 1", inner: str = _ONE) -> str:
    path.write_text(_HEAD.format(kernel=kernel, more=more, inner=inner))
    return f"{path}:Net"


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (", None, 2, 1", "self.weight, None, 2, 1, output_padding=1)"),
        (", stride=2, padding=1, output_padding=0", "output_padding=1)"),
        (", None, 2, 1, (0, 0)", "None, 2, 1, 1)"),
    ],
)
def test_the_argument_is_written_into_the_call(tmp_path: Path, more: str, text: str) -> None:
    path = tmp_path / "net.py"
    (finding,) = shapelint.check(_written(path, more=more), "1,4,6,6").findings
    assert (finding.code, finding.message) == ("SL101", "`last` gives back 5x5 where `down` took 6x6")
    assert finding.fix is not None
    assert (finding.fix.safety.value, dict(finding.fix.assignments)) == ("safe", {})
    path.write_bytes(texts(finding.fix.edits)[str(path)])
    assert text in path.read_text()
    assert run(load_path(path).Net().eval(), (1, 4, 6, 6)) == ((1, 4, 6, 6),)
    assert shapelint.check(f"{path}:Net", "1,4,6,6").ok


def test_a_call_that_serves_two_layers_is_written_where_both_need_the_same(tmp_path: Path) -> None:
    target = _written(tmp_path / "net.py", inner=_TWO)
    both = shapelint.check(target, "1,4,32,32").findings
    assert [len(finding.fix.edits) for finding in both if finding.fix] == [1, 1]
    (one,) = shapelint.check(target, "1,4,30,30").findings
    assert one.fix is not None
    assert one.fix.edits == ()
    assert "no edit: one call serves all of them, and not each needs its `output_padding=1`" in one.notes


def test_a_kernel_of_a_function_is_not_edited(tmp_path: Path) -> None:
    (finding,) = shapelint.check(_written(tmp_path / "net.py", kernel=5), "1,4,6,6").findings
    assert (finding.code, finding.message) == ("SL102", "`last` gives back 7x7 where `down` took 6x6")
    assert "`kernel_size` is 5x5 in `last`, 3x3 in `down`" in finding.notes


def test_onnxruntime_does_not_confirm_what_it_cannot_set(tmp_path: Path) -> None:
    report = shapelint.check(_written(tmp_path / "net.py"), "1,4,6,6", confirm=("cpu",))
    assert [each.repaired for each in report.confirmations] == [False]
    assert "not confirmed with the repair, which is in a call of a function" in str(report)


@pytest.mark.parametrize("padding", ["2", "self.width"])
def test_a_number_that_only_forward_has_is_written_and_an_attribute_is_told(tmp_path: Path, padding: str) -> None:
    body = """
    def __init__(self):
        super().__init__()
        self.width = 2
        self.weight = nn.Parameter(torch.zeros(2, 16, 8, 3, 3))
        self.mix = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2))

    def forward(self, x):
        b, c, h, w = x.shape
        kernels = (self.mix(x) @ self.weight.view(2, -1)).view(b * 16, c, 3, 3)
        out = F.conv2d(x.view(1, -1, h, w), kernels, padding=PADDING, groups=b)
        return out.view(b, 16, out.size(-2), out.size(-1))


class DynamicConv(Net):
    pass
"""
    report(tmp_path, body.replace("PADDING", padding), "4,8,16,16")
    (finding,) = shapelint.check(f"{tmp_path / 'net.py'}:DynamicConv", "4,8,16,16").findings
    assert (finding.code, finding.message) == ("SL106", "the output is 18x18 where the input is 16x16")
    assert finding.fix is not None
    edits = [(each.span.content(), each.replacement) for each in finding.fix.edits]
    told = ("unsafe", {}, [("2", "1")]) if padding == "2" else ("advice", {}, [])
    assert (finding.fix.safety, finding.fix.assignments, edits) == told
    assert finding.location is not None
    assert finding.location.content().startswith("F.conv2d(")


def test_weights_of_channels_are_not_resized_to_a_map(tmp_path: Path) -> None:
    body = """
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 3, padding=1)

    def forward(self, x):
        y = F.adaptive_avg_pool2d(x, 1)
        y = self.conv(y.squeeze(-1).transpose(-1, -2)).unsqueeze(-1)
        return x * y.sigmoid().expand_as(x)
"""
    (finding,) = report(tmp_path, body, "2,8,32,32").findings
    assert (finding.code, finding.message) == ("SL201", "`expand_as` joins 8x1 from `conv` with 32x32 from `input`")
    assert finding.fix is not None
    assert (finding.fix.safety, finding.fix.edits) == ("advice", ())
