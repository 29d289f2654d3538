"""`%shapelint` in a notebook, whose shell keeps here what it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from torch import nn

import shapelint
from shapelint.report.report import Report


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)

    def forward(self, x: Any) -> Any:
        return self.up(self.down(x))


class Shell:
    """What IPython offers an extension."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.user_ns, self.magics = names, dict[str, Callable[[str], Any]]()

    def register_magic_function(self, function: Callable[[str], Any], kind: str, name: str) -> None:
        assert kind == "line"
        self.magics[name] = function


@pytest.fixture
def magic() -> Callable[[str], Any]:
    shell = Shell({"Net": Net, "net": Net(), "nn": nn})
    shapelint.load_ipython_extension(shell)
    return shell.magics["shapelint"]


@pytest.mark.parametrize(
    ("line", "inputs", "code"),
    [("Net", "1,3,H,W", "SL105"), ("net 1,3,6,6", "1,3,6,6", "SL101"), (f"{__file__}:Net 1,3,6,6", "1,3,6,6", "SL101")],
)
def test_a_line_gives_the_report(magic: Callable[[str], Any], line: str, inputs: str, code: str) -> None:
    report = magic(line)
    assert isinstance(report, Report)
    assert report.inputs == (inputs,)
    assert report.findings[0].code == code
    assert "<iframe" in report._repr_html_()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "write %shapelint Net, or with inputs %shapelint Net 1,3,H,W"),
        ("Nett", "there is no 'Nett' in the notebook; write %shapelint Net"),
        ("nn.Conv2D 1,3,H,W", "'nn.Conv2D': there is no 'Conv2D' in it"),
        ("Net 1,3,,W", "input '1,3,,W': dim 3 is empty"),
    ],
)
def test_what_cannot_be_checked_is_one_line(
    magic: Callable[[str], Any], capsys: pytest.CaptureFixture[str], line: str, said: str
) -> None:
    assert magic(line) is None
    assert capsys.readouterr().err.startswith(f"shapelint: {said}")
