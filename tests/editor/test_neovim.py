"""A whole session in a real editor: Neovim without a screen, driven by `session.lua`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NET = """from torch import nn


# shapelint: input=1,3,6,6
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)

    def forward(self, x):
        x = self.down(x)
        return self.up(x)
"""


@pytest.mark.skipif(shutil.which("nvim") is None, reason="needs Neovim")
def test_neovim_shows_the_shapes_applies_the_fix_and_sees_the_finding_go(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(NET)
    server = json.dumps([sys.executable, "-P", "-m", "shapelint", "lsp"])
    # A home of its own: what the user keeps for Neovim plays no part.
    told = os.environ | {"SHAPELINT": server, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    session = Path(__file__).with_name("session.lua")
    command = ["nvim", "--headless", "-u", "NONE", "-n", "net.py", "-c", f"luafile {session}", "-c", "qa!"]
    done = subprocess.run(command, cwd=tmp_path, env=told, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.stdout, done.stderr
    opened, fixed = json.loads(done.stdout)
    assert opened["diagnostics"] == [
        {"line": 9, "code": "SL101", "message": "`up` gives back 5x5 where `down` took 6x6"}
    ]
    assert opened["hints"] == [
        {"line": 12, "label": "1,8,(H + 1)//2,(W + 1)//2"},
        {"line": 13, "label": "1,3,2*((H + 1)//2) - 1,2*((W + 1)//2) - 1"},
    ]
    above = [{"line": 5, "text": "1,3,6,6: restores the size for: H and W odd"}]
    shapes = [{"line": each["line"], "text": each["label"]} for each in opened["hints"]]
    assert opened["lenses"] == above + (shapes if not opened["hinting"] else [])
    assert fixed["when"] == "set `output_padding=1` in `up` (safe)"
    assert file.read_text() == NET.replace("padding=1)\n\n", "padding=1, output_padding=1)\n\n")
    assert fixed["diagnostics"] == []
    assert fixed["hints"][1] == {"line": 13, "label": "1,3,2*((H + 1)//2),2*((W + 1)//2)"}
