"""A file that trains, loads or reads the command line as it is imported: only what its model needs of it is run.

A file that does no such thing is run as a whole, and only what it raises leaves the rest away.
"""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from shapelint.errors import TargetError
from shapelint.load.absent import also_found_by
from shapelint.load.failure import described, place
from shapelint.load.overlay import text_of
from shapelint.source.fault import let_out
from shapelint.source.import_graph import ImportGraph, names_taken
from shapelint.source.needed import WORK_WORDS, bound, needed, work
from shapelint.source.ownership import installed, shown
from shapelint.source.syntax import file_tree, parsing

# The modules of which only a part was run: the file and the name that it was run for, and why.
_parts: Final[dict[str, tuple[str, str, str]]] = {}
# The files of which only what some names need is run, for now.
_running: dict[str, Sequence[str]] = {}
# What is said of the files that a module imports, of which only a part was run, by the module's name.
_imports: Final[dict[str, tuple[str, ...]]] = {}
_ran: Final[set[str]] = set()  # the files of which a part was run since the last import of a target began
_MOST: Final = 8
_LARGEST: Final = 1_000_000


class _PartLoader(importlib.machinery.SourceFileLoader):
    """Runs of a file what a name needs; nothing compiled is read or written."""

    def get_data(self, path: str) -> bytes:
        return text_of(path) or super().get_data(path)

    def path_stats(self, path: str) -> Mapping[str, float]:
        raise OSError

    def source_to_code(self, data: Any, path: Any, *, _optimization: int = -1) -> Any:  # type: ignore[override]
        with parsing.lock:
            tree = ast.parse(data, path)
        _ran.add(self.path)
        kept = needed(tree.body, *_running[self.path])
        body = [each for each in tree.body if id(each) in kept]
        return compile(ast.Module(body, []), path, "exec", dont_inherit=True, optimize=_optimization)


class _PartFinder(MetaPathFinder):
    """Finds modules as Python does, and gives those of which a part is run their loader."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        file = os.path.realpath(spec.origin) if spec is not None and spec.origin else ""
        part = part_loader(name, file)
        return None if part is None else importlib.util.spec_from_file_location(name, file, loader=part)


def part_loader(name: str, file: str) -> importlib.machinery.SourceFileLoader | None:
    """What loads a part of a file; None for a file that is loaded as a whole."""
    return _PartLoader(name, file) if file in _running else None


def whole_or_part(run: Callable[[], ModuleType], file: Path, target: str) -> ModuleType:
    """The module that `run` imports from a file, of which only what the target needs is run if it trains or raises.

    Of a file of the user's that it imports and that trains or raises only what is imported of it is run.
    """
    reasons = dict(_working(file))
    _ran.clear()
    while True:
        try:
            with _only({each: names_taken(each, file) for each in reasons}):
                module = _whole_or_part(run, file, target)
        except Exception as error:  # the user's code
            let_out(error)
            raised = _raising_import(error, file)
            if not raised or raised in reasons or len(reasons) >= _MOST:
                raise
            reasons[raised] = f"as a whole it raises {described(error)}{place(error)}"
            continue
        told = [f"only what is imported of {shown(each)} was run: {reasons[each]}" for each in reasons if each in _ran]
        if told or module.__name__ not in _imports:
            _imports[module.__name__] = tuple(told)
        return module


def _working(file: Path) -> Iterator[tuple[str, str]]:
    """The files that a file imports, directly or not, and that train, download or never end; why, for each."""
    for each in ImportGraph().reached(str(file), str(file.parent)):
        if each != str(file) and not installed(each):
            tree = file_tree(each, most=_LARGEST, words=WORK_WORDS)
            found = None if tree is None else work(tree.body)
            if found is not None:
                yield each, f"line {found.lineno} trains, downloads or never ends"


def _raising_import(error: BaseException, file: Path) -> str:
    """The file of the user's that raises at its own level as it is imported by another; "" where none does."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.name == "<module>"]
    own = [os.path.realpath(frame.filename) for frame in frames if not installed(frame.filename)]
    return own[-1] if own and own[-1] != str(file) and os.path.isfile(own[-1]) else ""


def _whole_or_part(run: Callable[[], ModuleType], file: Path, target: str) -> ModuleType:
    name = target.rpartition(":")[2].partition(".")[0]
    tree = file_tree(file)
    statements = [] if tree is None else tree.body
    if not any(name in bound(each) for each in statements):
        return run()
    working = work(statements)
    if working is not None:
        reason = f"line {working.lineno} trains, downloads or never ends"
        return _part(run, str(file), name, reason)
    try:
        module = run()
        _parts.pop(module.__name__, None)
        return module
    except (Exception, SystemExit) as error:  # the user's code
        let_out(error)
        if isinstance(error, TargetError):
            raise
        try:
            return _part(run, str(file), name, f"as a whole it raises {described(error)}{place(error)}")
        except (Exception, SystemExit) as again:  # the user's code
            let_out(again)
        raise


def _part(run: Callable[[], ModuleType], file: str, name: str, reason: str) -> ModuleType:
    with _only({file: (name,)}):
        module = run()
    _parts[module.__name__] = (file, name, reason)
    return module


def part_notes(module: str, target: str) -> tuple[str, ...]:
    """What the report says of a module of which only a part was run, and of those that it imports."""
    imported = _imports.get(module, ())
    if module not in _parts:
        return imported
    file, _, reason = _parts[module]
    return (f"only what {target.rpartition(':')[2]} needs of {shown(file)} was run: {reason}", *imported)


def forget_parts(target: str) -> None:
    """Drops the modules of which only a part was run, for another name than the target's."""
    wanted = target.rpartition(":")[2].partition(".")[0]
    for module in [module for module, (_, name, _) in _parts.items() if name != wanted]:
        sys.modules.pop(module, None)
        del _parts[module]


@contextmanager
def _only(parts: Mapping[str, Sequence[str]]) -> Iterator[None]:
    _running.update(parts)
    try:
        with also_found_by(_PartFinder(), first=True):
            yield
    finally:
        for file in parts:
            del _running[file]
