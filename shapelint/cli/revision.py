"""The lock of a git revision: the one that is committed there, or the models of its files, checked.

The files of the revision are written to a temporary folder and checked there by a process of its own. Neither the work
tree nor the index of the user is touched, and attributes that keep files out of archives play no part.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from shapelint.errors import SpecError
from shapelint.report.lock import FILE, Lock
from shapelint.request.options import CheckOptions

_SECONDS = 120
_CHILD = Path(__file__).with_name("revision_child.py")


def lock_at(revision: str, targets: Sequence[str], asked: CheckOptions) -> Lock:
    """The lock of this folder in a revision. Raises SpecError where git has none and the models cannot be checked."""
    if revision.startswith("-"):
        raise SpecError(f"{revision!r} is neither a file nor a git revision")
    commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", of=revision).strip()
    if not commit:
        raise SpecError(f"{revision!r} is neither a file nor a git revision")
    prefix = _git("rev-parse", "--show-prefix", of=revision).rstrip("\n")
    if _git("ls-tree", "--name-only", commit, f"./{FILE}", of=revision):
        return Lock.read(_git("show", f"{commit}:./{FILE}", of=revision), f"{revision}:{FILE}")
    top = _git("rev-parse", "--show-toplevel", of=revision).rstrip("\n")
    with tempfile.TemporaryDirectory(prefix="shapelint-") as folder:
        tree = Path(folder, "tree")
        _write_files(commit, top, tree, Path(folder, "index"))
        if not Path(tree, prefix).is_dir():
            raise SpecError(f"{revision!r} has no folder {prefix}")
        return _checked(revision, targets, asked, tree=tree, prefix=prefix, top=top)


def _git(*command: str, of: str, folder: str | None = None, **environment: str) -> str:
    """What a git command prints, "" where it fails quietly. Raises SpecError."""
    variables = {**os.environ, **environment}
    try:
        done = subprocess.run(
            ["git", *command], capture_output=True, check=False, timeout=_SECONDS, cwd=folder, env=variables
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SpecError(f"{of!r} is no file, and git cannot be asked: {error}") from error
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    if done.returncode and said:
        raise SpecError(f"{of!r} is no file, and git says: {said[-1]}")
    return done.stdout.decode("utf-8", "replace")


def _write_files(commit: str, top: str, tree: Path, index: Path) -> None:
    """Writes the files of a commit to a new folder, by an index of its own."""
    tree.mkdir()
    own = {"GIT_INDEX_FILE": str(index)}
    _git("read-tree", commit, of=commit, folder=top, **own)
    _git("checkout-index", "--all", f"--prefix={tree}{os.sep}", of=commit, folder=top, **own)


def _checked(revision: str, targets: Sequence[str], asked: CheckOptions, *, tree: Path, prefix: str, top: str) -> Lock:
    """The lock that a process of its own makes of the files. Raises SpecError with what it says where it cannot."""
    answer = Path(tree.parent, "lock.json")
    question = {
        "targets": tuple(targets),
        "asked": replace(asked, cache=False, jobs=1),
        "answer": str(answer),
        "tree": str(tree),
        "top": top,
    }
    folders = [str(Path(tree, prefix)), str(tree), str(Path(tree, "src")), str(Path(tree, prefix, "src"))]
    before = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([*dict.fromkeys(folders), *([before] if before else [])])
    done = subprocess.run(
        [sys.executable, "-B", "-P", str(_CHILD)],
        input=pickle.dumps(question),
        capture_output=True,
        check=False,
        cwd=Path(tree, prefix),
        env={**os.environ, "PYTHONPATH": path},
    )
    if answer.is_file():
        return Lock.read(answer.read_text(encoding="utf-8"), f"the models of {revision}")
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    line = said[-1].removeprefix("shapelint: ") if said else "the check ended without a word"
    raise SpecError(f"the models of {revision} cannot be checked: {line}")
