"""In a notebook: a class that was written in a cell is checked with its lines, and the report shows its picture."""

from __future__ import annotations

import ast
import builtins
import linecache
import re
from html import unescape
from types import SimpleNamespace
from typing import Any

import pytest

import shapelint

CELL = """
from torch import nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.deconv = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)

    def forward(self, x):
        y = self.deconv(F.relu(self.conv(x)))
        return y
"""


@pytest.mark.parametrize("name", ["/tmp/ipykernel_77/1234.py", "<ipython-input-3-abcdef>"])
def test_a_class_of_a_cell_is_checked_with_its_lines_and_drawn(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(linecache.cache, name, (len(CELL), None, CELL.splitlines(keepends=True), name))
    compiler = SimpleNamespace(format_code_name=lambda file: ("Cell", "In[3]") if file == name else None)
    monkeypatch.setattr(builtins, "get_ipython", lambda: SimpleNamespace(compile=compiler), raising=False)
    cell: dict[str, Any] = {"__name__": "__main__"}
    for statement in ast.parse(CELL).body:  # IPython compiles each one alone
        exec(compile(ast.Module([statement], []), name, "exec"), cell)
    report = shapelint.check(cell["Net"], (1, 3, 6, 6))
    (finding,) = report.findings
    assert finding.location is not None
    assert (finding.location.file, finding.location.line, finding.location.column) == (name, 10, 23)
    assert "no edit: a notebook is not written; make the change in its cell" in finding.notes
    assert [call.place.line for call in report.calls if call.assigned == ("y",) and call.place] == [13]
    assert report.contract.proved
    assert str(report).startswith("In[3]:10:23: error SL101")
    page = report._repr_html_()
    assert re.match('<iframe srcdoc="[^"]*" sandbox="" ', page)
    assert '<svg class="hourglass"' in unescape(page)
