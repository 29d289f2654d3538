"""What a model looks at, in whatever way, is seen: its check is done anew when that has changed, or is not kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shapelint.jobs.present import Present

WATCHED = """
import json, sys
from shapelint.jobs.dependencies import Watching
watching = Watching()
sys.path.insert(0, "")
import model
print(json.dumps(watching.data(["."])))
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sub").mkdir()
    Path("sub/data").write_text("1")
    os.utime("sub/data", (1, 1))


def seen(text: str) -> Any:
    """What is seen of a module while it is imported; None where that is not to be kept."""
    Path("model.py").write_text(f"import os, sys\n{text}\n")
    os.utime("model.py", (1, 1))
    root = str(Path(__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": root, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", WATCHED]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert not done.stderr
    return json.loads(done.stdout)


def agrees(data: Any) -> bool:
    return Present.fresh().agrees(json.loads(json.dumps(data)))


def write(file: str, text: str = "22") -> Callable[[], object]:
    def change() -> None:
        Path(file).parent.mkdir(exist_ok=True)
        Path(file).write_text(text)

    return change


def linked() -> None:
    Path("sub/data").rename("sub/other")
    Path("sub/data").symlink_to("other")


SEEN: dict[str, tuple[str, Callable[[], object]]] = {
    "exists": ("os.path.exists('flag')", write("flag")),
    "is_file": ("import pathlib; pathlib.Path('sub/flag').is_file()", write("sub/flag")),
    "stat": ("os.stat('sub/data').st_size", write("sub/data")),
    "getsize": ("os.path.getsize('sub/data')", write("sub/data")),
    "mode": ("os.stat('sub/data').st_mode", lambda: Path("sub/data").chmod(0o755)),
    "time": ("os.path.getmtime('sub/data')", lambda: os.utime("sub/data", (5, 5))),
    "access": ("os.access('flag', os.R_OK)", write("flag")),
    "islink": ("os.path.islink('sub/data')", linked),
    "readlink": ("try: os.readlink('sub/data')\nexcept OSError: pass", linked),
    "open": ("open('sub/data').read()", write("sub/data")),
    "bytes": ("open(b'sub/data').read()", write("sub/data")),
    "listdir": ("os.listdir('sub')", write("sub/new")),
    "scandir": ("[each.stat() for each in os.scandir('sub')]", write("sub/data")),
    "walk": ("list(os.walk('.'))", write("sub/new")),
    "find_spec": ("import importlib.util; importlib.util.find_spec('opt')", write("opt.py")),
    "optional": ("try: import opt\nexcept ImportError: pass", write("opt/__init__.py")),
    "inside of a package": ("import sub\ntry: import sub.opt\nexcept ImportError: pass", write("sub/opt.py")),
    "package before a module": ("import helper", write("helper/__init__.py")),
    "metadata": ("import importlib.metadata as m\nlist(m.entry_points())", write("new-1.dist-info/METADATA")),
}
KEPT: dict[str, str] = {
    "a variable": "os.environ.get('HOME')",
    "exists": "os.path.exists('sub')",
    "a package": "import sub",
}
NOT_KEPT: dict[str, str] = {
    "a program": "import subprocess; subprocess.run(['true'])",
    "a database": "import sqlite3; sqlite3.connect('x.db')",
    "compiled code": "import ctypes; ctypes.CDLL(None)",
    "the process": "open('/proc/self/environ').read()",
    "a pipe": "os.mkfifo('pipe'); os.open('pipe', os.O_RDONLY | os.O_NONBLOCK)",
}
ENVIRONMENT: dict[str, str] = {
    "iterated": "list(os.environ)",
    "copied": "os.environ.copy()",
    "as bytes": "os.environb.get(b'SIZES')",
    "a member": "'SIZES' in os.environ",
    "of the system": "import posix; posix.environ.get(b'SIZES')",
}


@pytest.mark.parametrize("name", SEEN)
def test_what_a_model_asks_makes_its_check_anew(name: str) -> None:
    text, change = SEEN[name]
    Path("helper.py").write_text("")
    os.utime("helper.py", (1, 1))
    data = seen(text)
    assert agrees(data)
    change()
    assert not agrees(data)


@pytest.mark.parametrize("name", KEPT)
def test_what_nobody_asked_for_changes_nothing(name: str) -> None:
    data = seen(KEPT[name])
    write("other/file")()
    os.utime("model.py", (9, 9))
    Path(".shapelint_cache").mkdir()
    assert agrees(data)


@pytest.mark.parametrize("name", NOT_KEPT)
def test_what_cannot_be_answered_is_not_kept(name: str) -> None:
    assert seen(NOT_KEPT[name]) is None


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_variable_is_seen_however_it_is_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    data = seen(ENVIRONMENT[name])
    assert agrees(data)
    monkeypatch.setenv("SIZES", "1")
    assert not agrees(data)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what is opened in a folder")
def test_a_file_that_compiled_code_opens_is_seen() -> None:
    data = seen("import readline; readline.read_history_file('sub/data')")
    assert agrees(data)
    Path("sub/data").write_text("2")
    assert not agrees(data)
