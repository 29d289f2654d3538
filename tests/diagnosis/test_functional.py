"""Layers that a module calls as a function, with weights of its own: blamed, repaired and written like modules."""

from __future__ import annotations

from pathlib import Path

import pytest

import shapelint
from shapelint.edit.document import texts
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
