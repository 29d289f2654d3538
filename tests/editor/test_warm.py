"""The warm process, asked over its pipes: what the child that stands ready has imported before a save."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

NOTE = "import os\nopen({log!r}, 'a').write(f'{name} {{os.getpid()}}\\n')\n"
NET = """
import slow
from torch import nn


# shapelint: input=1,3,6,6
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, padding=1)

    def forward(self, x):
        return self.down(x)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_the_child_that_stands_ready_has_imported_the_packages_of_the_file(tmp_path: Path) -> None:
    packages, log = tmp_path / "site-packages", tmp_path / "log"
    packages.mkdir()
    (packages / "slow.py").write_text(NOTE.format(log=str(log), name="package"))
    command, around = [sys.executable, "-P", "-m", "shapelint.editor.warm"], os.environ | {"PYTHONPATH": str(packages)}
    asked: dict[str, Any] = {"cwd": tmp_path, "env": around, "stdin": subprocess.PIPE, "stdout": subprocess.PIPE}

    def imported(name: str, text: str) -> list[str]:
        """What the process that checked a file imported, in order."""
        (tmp_path / name).write_text(NOTE.format(log=str(log), name="file") + text)
        process.stdin.write(json.dumps({"number": 1, "file": str(tmp_path / name), "timeout": 60}) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        assert (len(answer["reports"]), answer["failures"]) == (1, [])
        lines = [line.split() for line in log.read_text().splitlines()]
        child = next(pid for what, pid in reversed(lines) if what == "file")
        return [what for what, pid in lines if pid == child]

    with subprocess.Popen(command, text=True, **asked) as process:
        assert imported("net.py", NET) == ["file", "package"]
        assert imported("net.py", NET.replace("padding=1", "padding=2")) == ["package", "file"]
        assert imported("other.py", NET) == ["file", "package"]
        assert imported("other.py", "import json\n" + NET) == ["file", "package"]
        assert imported("other.py", "import json\n" + NET + "# again\n") == ["package", "file"]
        (packages / "new-1.0.dist-info").mkdir()
        assert imported("other.py", "import json\n" + NET) == ["file", "package"]
        switch = "os.environ['SLOW'] = 'no'\n"  # which the package may read
        assert imported("other.py", switch + NET) == ["file", "package"]
        assert imported("other.py", switch + NET) == ["file", "package"]
        process.stdin.close()


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
def test_a_check_ends_with_the_server_however_that_ends(tmp_path: Path) -> None:
    net, log = tmp_path / "net.py", tmp_path / "log"
    hang = f"import time, os\n        open({str(log)!r}, 'w').write(str(os.getpid()))\n        time.sleep(99)"
    net.write_text(NET.replace("import slow\n", "").replace("return", f"{hang}\n        return"))
    script = (
        "import subprocess, sys, json, time, os\n"
        "warm = subprocess.Popen([sys.executable, '-P', '-m', 'shapelint.editor.warm'], stdin=subprocess.PIPE)\n"
        f"warm.stdin.write(json.dumps({{'number': 1, 'file': {str(net)!r}, 'timeout': 99}}).encode() + b'\\n')\n"
        "warm.stdin.flush()\n"
        f"while not (os.path.exists({str(log)!r}) and os.path.getsize({str(log)!r})): time.sleep(0.1)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, timeout=60, stdout=subprocess.DEVNULL)
    stat, end = Path(f"/proc/{log.read_text().strip()}/stat"), time.monotonic() + 10
    while stat.exists() and stat.read_text().split()[2] != "Z" and time.monotonic() < end:
        time.sleep(0.05)
    assert not stat.exists() or stat.read_text().split()[2] == "Z"
