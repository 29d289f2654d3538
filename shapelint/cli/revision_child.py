"""Run as a program in a folder with the files of another revision: checks the models there and writes their lock.

A model whose code is not that of the folder, but of the work tree (an installed package points there), would be
compared with itself: so every Python file of the work tree that is opened is noticed, and there is no lock then.
"""

from __future__ import annotations

import importlib.util
import os
import pickle
import sys
from pathlib import Path
from typing import Any


def main() -> int:
    """Does what standard input asks."""
    question = pickle.load(sys.stdin.buffer)
    seen = _watched(question["top"], question["tree"])
    from shapelint.cli.checker import checked
    from shapelint.errors import ShapelintError
    from shapelint.report.lock import Lock
    from shapelint.terminal import output

    try:
        checker = checked(question["targets"], question["asked"], apart=False)
    except ShapelintError as error:
        output.tell(str(error))
        return 2
    if checker.failed:
        return 2
    foreign = sorted(seen)
    if foreign:
        output.tell(f"{foreign[0]} is imported from the work tree, not from the revision")
        return 2
    Path(question["answer"]).write_text(Lock({}).renewed(checker.reports.values()).render(), encoding="utf-8")
    return 0


def _watched(top: str, tree: str) -> set[str]:
    """A set that takes in the Python files of a folder that are opened, but for those of shapelint and of packages."""
    seen: set[str] = set()
    own = str(Path(__file__).resolve().parent.parent)
    start, rules = os.path.join(os.path.realpath(top), ""), os.path.join(os.path.dirname(own), "rules", "")
    passed = (os.path.join(own, ""), rules, os.path.join(sys.prefix, ""), os.path.join(os.path.realpath(tree), ""))

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        path = arguments[0] if event == "open" and arguments else None
        if isinstance(path, str) and path.endswith((".py", ".pyc")):
            whole = os.path.realpath(path)
            if whole.startswith(start) and not whole.startswith(passed):
                seen.add(os.path.relpath(_source(whole), start))

    sys.addaudithook(hook)
    return seen


def _source(path: str) -> str:
    """The source of a compiled file, or the file itself."""
    try:
        return importlib.util.source_from_cache(path)
    except ValueError:
        return path


if __name__ == "__main__":
    sys.exit(main())
