"""A cached check is answered without torch, to the letter, and only while nothing has changed; caches never do harm."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from shapelint.cli.app import run
from shapelint.jobs import serialized
from shapelint.jobs.cache import FOLDER, Cache, clean, packed
from shapelint.jobs.dependencies import Data
from shapelint.jobs.job import Job
from shapelint.jobs.present import answer, candidates, content
from tests.fabricated import FAILING, MODEL

JOB = Job("net.py:Net", ("1,3,6,6",))
REPORT = serialized.loads(serialized.dumps(FAILING))


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(MODEL)


def seen(**changed: object) -> Data:
    data: Data = {
        "contents": {},
        "stamps": {},
        "answers": [],
        "sought": {},
        "variables": {},
        "environment": "",
    }
    return data | changed


def keep(data: Data, job: Job = JOB) -> Path:
    Cache().keep(job, packed(data, serialized.dumps(REPORT)))
    (file,) = Path(FOLDER).glob("*.check")
    return file


def test_a_kept_report_is_found_as_it_was() -> None:
    keep(seen())
    found = Cache().find(JOB)
    assert found == REPORT
    assert found is not None
    assert found.to_json() == REPORT.to_json()
    assert Path(FOLDER, ".gitignore").read_text() == "*\n"
    assert Path(FOLDER, "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")


@pytest.mark.parametrize(
    "change",
    [
        {"target": "net.py:Other"},
        {"inputs": ("1,3,H,W",)},
        {"kwargs": {"depth": 4}},
        {"sizes": {"H": [32]}},
        {"confirm": ("cpu",)},
        {"select": ("SL1",)},
        {"train": True},
    ],
)
def test_another_question_has_another_answer(change: dict[str, object]) -> None:
    keep(seen())
    assert Cache().find(replace(JOB, **change)) is None  # type: ignore[arg-type]


def written() -> None:
    Path("net.py").write_text(MODEL + "\n")


def shadowed() -> None:
    Path("torch.py").write_text("")


CHANGES: dict[str, tuple[Callable[[], Data], Callable[[], object]]] = {
    "content": (lambda: seen(contents={"net.py": content("net.py")}), written),
    "gone": (lambda: seen(contents={"net.py": content("net.py")}), lambda: Path("net.py").unlink()),
    "come": (lambda: seen(contents={"data.json": content("data.json")}), lambda: Path("data.json").write_text("")),
    "stamp": (lambda: seen(stamps={str(Path.cwd()): {"net.py": stamped("net.py")}}), written),
    "listing": (lambda: seen(answers=[["names", ".", answer("names", ".")]]), lambda: Path("sub").mkdir()),
    "question": (lambda: seen(answers=[["kind", "sub", None]]), lambda: Path("sub").mkdir()),
    "shadow": (lambda: seen(sought={".": [["net", "torch"], candidates(".", {"net", "torch"})]}), shadowed),
    "variable": (lambda: seen(variables={"SIZES": None}), lambda: os.environ.update(SIZES="1")),
    "torch": (lambda: seen(), lambda: os.environ.update(TORCH_SHOW="1")),
}


def stamped(file: str) -> list[int]:
    found = os.stat(file)
    return [found.st_mtime_ns, found.st_size]


@pytest.mark.parametrize("name", CHANGES)
def test_what_changes_makes_it_anew(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", type(os.environ)({}, *_coders()))
    data, change = CHANGES[name]
    keep(data())
    assert Cache().find(JOB) == REPORT
    change()
    assert Cache().find(JOB) is None


def _coders() -> tuple[Callable[[str], object], ...]:
    plain = os.environ
    return plain.encodekey, plain.decodekey, plain.encodevalue, plain.decodevalue  # type: ignore[attr-defined]


def test_a_touched_file_of_the_project_is_unchanged() -> None:
    keep(seen(contents={"net.py": content("net.py")}))
    os.utime("net.py", (1, 1))
    assert Cache().find(JOB) == REPORT


class Harm:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, ("harm",)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-7],
        lambda data: data[:200] + b"x" + data[201:],
        lambda data: data.replace(b"cache 6", b"cache 5"),
        lambda data: os.urandom(len(data)),
    ],
    ids=["empty", "cut", "flipped", "another version", "foreign"],
)
def test_a_damaged_entry_is_none(damage: Callable[[bytes], bytes]) -> None:
    file = keep(seen())
    file.write_bytes(damage(file.read_bytes()))
    assert Cache().find(JOB) is None


@pytest.mark.parametrize("evil", [Harm(), replace(REPORT, remarks=(Harm(),)), "text"])  # type: ignore[arg-type]
def test_an_entry_runs_no_code(evil: object) -> None:
    Cache().keep(JOB, packed(seen(), pickle.dumps(evil)))
    assert Cache().find(JOB) is None
    with pytest.raises(serialized.UnreadableError, match=r"^no report of this version: "):
        serialized.loads(pickle.dumps(evil))
    assert not Path("harm").exists()


def test_a_folder_that_cannot_be_written_is_no_error() -> None:
    Path(FOLDER).write_text("a file in the place of the folder")
    Cache().keep(JOB, packed(seen(), serialized.dumps(REPORT)))
    assert Cache().find(JOB) is None


def test_a_full_disk_leaves_nothing_half_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    keep(seen())
    monkeypatch.setattr(Path, "replace", full)
    Cache().keep(JOB, packed(seen(variables={"A": "1"}), serialized.dumps(REPORT)))
    assert Cache().find(JOB) == REPORT
    assert [file.suffix for file in Path(FOLDER).iterdir() if file.name not in (".gitignore", "CACHEDIR.TAG")] == [
        ".check"
    ]


def test_clean_takes_the_own_files_only(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").write_text("[tool.shapelint]\ncache-dir = 'build'")
    Path("build").mkdir()
    Path("build/wheel").write_text("")
    keep(seen())
    Cache().keep(replace(JOB, folder=str(Path.cwd()), cache_dir="build"), b"")
    assert run(["clean"]) == 0
    assert capsys.readouterr().out == "2 cached reports removed\n"
    assert sorted(path.name for path in Path().rglob("*")) == ["build", "net.py", "pyproject.toml", "wheel"]
    assert clean(Path("nowhere")) == 0


def test_clean_takes_nothing_without_our_mark_and_follows_no_link() -> None:
    keep(seen())
    Path("precious.check").write_text("mine")
    Path(FOLDER, "notes.check").write_text("mine")
    Path(FOLDER, "link.check").symlink_to(next(Path(FOLDER).glob("*.check")).resolve())
    Path("linked").symlink_to(FOLDER)
    assert clean(Path("linked")) == 0
    assert clean(Path(FOLDER)) == 1
    assert sorted(file.name for file in Path(FOLDER).iterdir()) == ["link.check", "notes.check"]
    assert clean(Path()) == 0
    assert Path("precious.check").read_text() == "mine"


def test_a_cache_that_came_with_a_project_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "theirs"))
    entry = keep(seen())
    assert Cache().find(JOB) == REPORT
    assert (tmp_path / "theirs/shapelint/key").stat().st_mode & 0o77 == 0
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "ours"))
    assert Cache().find(JOB) is None
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "theirs"))
    other = replace(JOB, train=True)
    Cache().keep(other, packed(seen(), serialized.dumps(REPORT)))
    renamed = next(file for file in Path(FOLDER).glob("*.check") if file != entry)
    renamed.write_bytes(entry.read_bytes())
    assert Cache().find(other) is None


def test_without_a_place_for_the_key_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    Cache().keep(JOB, packed(seen(), serialized.dumps(REPORT)))
    assert not Path(FOLDER).exists()


@pytest.mark.parametrize("kind", ["pipe", "link", "huge", "folder"])
def test_an_entry_that_is_no_plain_file_is_not_read(kind: str) -> None:
    entry = keep(seen())
    kept = entry.rename("kept")
    if kind == "pipe":
        os.mkfifo(entry)
    elif kind == "link":
        entry.symlink_to(kept.resolve())
    elif kind == "folder":
        entry.mkdir()
    else:
        entry.write_bytes(kept.read_bytes())
        os.truncate(entry, 1 << 40)
    assert Cache().find(JOB) is None


def test_a_linked_folder_is_not_written_to() -> None:
    Path("elsewhere").mkdir()
    Path(FOLDER).symlink_to("elsewhere")
    Cache().keep(JOB, packed(seen(), serialized.dumps(REPORT)))
    assert not list(Path("elsewhere").iterdir())


def test_a_big_file_is_not_read() -> None:
    Path("weights.bin").touch()
    os.truncate("weights.bin", 1 << 40)
    os.utime("weights.bin", ns=(1, 2))
    assert content("weights.bin") == f"{1 << 40} 2"


# ----------------------------------------------------------------------------------------------------------------
# With the real engine, in processes of their own.

BUILT = "        super().__init__()\n"
READING = MODEL.replace(
    BUILT, f"{BUILT}        import os\n        open('data.json').read()\n        os.environ.get('DEPTH')\n"
)


def check(*arguments: str, program: str = "", **environment: str) -> tuple[int, str, str]:
    asked = ["check", "net.py:Net", "--input", "1,3,6,6", "--no-confirm", *arguments]
    command = [sys.executable, "-c", program or WATCHED, *asked]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | environment)
    return done.returncode, done.stdout, done.stderr


WATCHED = """
import sys
from shapelint.cli.app import run
code = run(sys.argv[1:], apart=True)
assert "torch" not in sys.modules
sys.exit(code)
"""


def test_a_kept_answer_is_told_without_the_solver() -> None:
    Path("net.py").write_text(MODEL)
    without = WATCHED.replace('"torch" not in sys.modules', 'not {"torch", "islpy"} & set(sys.modules)')
    assert check() == check(program=without)


def test_what_a_model_reads_and_nothing_else_makes_its_check_anew() -> None:
    Path("net.py").write_text(READING)
    Path("data.json").write_text("{}")
    first = check("--format", "json")
    (entry,) = Path(FOLDER).glob("*.check")
    made = entry.stat().st_mtime_ns
    assert check("--format", "json") == first == check("--no-cache", "--format", "json")
    assert check(UNRELATED="1")[0] == 1
    assert entry.stat().st_mtime_ns == made
    Path("data.json").write_text("[]")
    check()
    assert entry.stat().st_mtime_ns > made
    made = entry.stat().st_mtime_ns
    check(DEPTH="5")
    assert entry.stat().st_mtime_ns > made


def test_a_check_that_onnxruntime_confirms_at_all_sizes_is_kept() -> None:
    command = [sys.executable, "-c", WATCHED, "check", "net.py:Net", "--input", "1,3,H,W"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "onnxruntime" in done.stdout
    assert len(list(Path(FOLDER).glob("*.check"))) == 1


def test_watching_waits_for_no_lock_that_the_model_holds() -> None:
    """Python looks for the folder of temporary files under a lock, and opens a file there."""
    text = "        import tempfile\n        tempfile.tempdir = None\n        tempfile.gettempdir()\n"
    Path("net.py").write_text(MODEL.replace(BUILT, BUILT + text))
    assert check("--timeout", "60")[0] == 1
    assert list(Path(FOLDER).glob("*.check"))
