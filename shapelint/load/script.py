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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from shapelint.errors import TargetError
from shapelint.load.absent import also_found_by
from shapelint.load.failure import described, place
from shapelint.load.overlay import text_of
from shapelint.source.fault import call_foreign, let_out
from shapelint.source.import_graph import names_taken
from shapelint.source.needed import WORK_WORDS, bound, needed, work
from shapelint.source.ownership import installed, shown
from shapelint.source.syntax import file_tree, parsing

# The modules of which only a part was run: the file and the names that it was run for, the target's first, and why.
_parts: Final[dict[str, tuple[str, Sequence[str], str]]] = {}
# What the target is built with, by the names that its module has for it.
_built_with: Final[set[str]] = set()
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
            tree = call_foreign(ast.parse, data, path)  # it may have been written since it was read before
        _ran.add(self.path)
        kept = needed(tree.body, *_running[self.path])
        body = [each for each in tree.body if id(each) in kept]
        return compile(ast.Module(body, []), path, "exec", dont_inherit=True, optimize=_optimization)


class _PartFinder(MetaPathFinder):
    """Finds modules as Python does, and gives those of which a part is run their loader.

    `reasons` gets the files of the user's, other than `start`, that turn out to work as they are imported.
    """

    def __init__(self, start: str = "", reasons: dict[str, str] | None = None) -> None:
        self.start, self.reasons = start, reasons

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if path and all(installed(os.path.join(str(each), "")) for each in path):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        file = os.path.realpath(spec.origin) if spec is not None and spec.origin else ""
        if self.reasons is not None and file.endswith(".py") and file not in (self.start, *_running):
            reason = "" if installed(file) else _works(file)
            if reason:
                self.reasons[file] = reason
                _running[file] = names_taken(file, self.start)
        part = part_loader(name, file)
        return None if part is None else importlib.util.spec_from_file_location(name, file, loader=part)


def part_loader(name: str, file: str) -> importlib.machinery.SourceFileLoader | None:
    """What loads a part of a file; None for a file that is loaded as a whole."""
    return _PartLoader(name, file) if file in _running else None


def whole_or_part(run: Callable[[], ModuleType], file: Path, target: str) -> ModuleType:
    """The module that `run` imports from a file, of which only what the target needs is run if it trains or raises.

    Of a file of the user's that it imports and that trains or raises only what is imported of it is run.
    """
    reasons: dict[str, str] = {}
    _ran.clear()
    while True:
        try:
            with _looking_through(str(file), reasons):
                module = _whole_or_part(run, file, target)
        except (Exception, SystemExit) as error:  # the user's code
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


@contextmanager
def _looking_through(start: str, reasons: dict[str, str]) -> Iterator[None]:
    """The state in which a part is run of the files with `reasons`, to which those are added that work."""
    _running.update({each: names_taken(each, start) for each in reasons})
    try:
        with also_found_by(_PartFinder(start, reasons), first=True):
            yield
    finally:
        for each in reasons:
            _running.pop(each, None)


def _works(file: str) -> str:
    """Why a file is not to be imported as it is; "" for others."""
    tree = file_tree(file, most=_LARGEST, words=WORK_WORDS)
    found = None if tree is None else work(tree.body)
    return "" if found is None else f"line {found.lineno} trains, downloads or never ends"


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
    names = (name, *_built_with)
    with _only({file: names}):
        module = run()
    _parts[module.__name__] = (file, names, reason)
    return module


def part_notes(module: str, target: str) -> tuple[str, ...]:
    """What the report says of a module of which only a part was run, and of those that it imports."""
    imported = _imports.get(module, ())
    if module not in _parts:
        return imported
    file, _, reason = _parts[module]
    return (f"only what {target.rpartition(':')[2]} needs of {shown(file)} was run: {reason}", *imported)


def forget_parts(target: str) -> None:
    """Drops the modules of which only a part was run, for another name than the target's, or for too few."""
    wanted = target.rpartition(":")[2].partition(".")[0]
    others = [module for module, (_, names, _) in _parts.items() if names[0] != wanted or not _built_with <= {*names}]
    for module in others:
        sys.modules.pop(module, None)
        del _parts[module]


@contextmanager
def built_with(names: Iterable[str]) -> Iterator[None]:
    """While it is open, the part of a file that is run for a target has these names too."""
    _built_with.update(names)
    try:
        yield
    finally:
        _built_with.clear()


@contextmanager
def _only(parts: Mapping[str, Sequence[str]]) -> Iterator[None]:
    _running.update(parts)
    try:
        with also_found_by(_PartFinder(), first=True):
            yield
    finally:
        for file in parts:
            del _running[file]
