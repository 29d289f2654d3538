"""Which files of a project a file imports, directly or not, found by reading them: nothing is executed.

An import anywhere in a file counts, also one that only some calls or type checkers reach, so the answer may name a file
too many. What is imported by a name that is computed is not seen.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final

from shapelint.source.encoding import UNPARSED
from shapelint.source.module_files import top_module
from shapelint.source.ownership import installed
from shapelint.source.syntax import file_tree

# A statement that begins a line, to its closing bracket or end; and what may import elsewhere in a line, or by name.
_STATEMENT: Final = re.compile(
    rb"^[ \t]*(?:import[ \t]|from[ \t]+[.\w]+[ \t]+import[ \t]*(?:\([^)]*\)|(?=[^(])))(?:\\\r?\n|[^\n\\])*",
    re.MULTILINE,
)
_HIDDEN: Final = re.compile(
    rb"[;:][ \t]*(?:import|from)[ \t]|import_module|__import__|\\\r?\n[ \t]*(?:import|from)\b|coding[:=]"
)


class ImportGraph:
    """The imports between the files of projects; each file is read once."""

    def __init__(self) -> None:
        self._imports: dict[str, tuple[str, ...]] = {}
        self._tops: dict[str, tuple[str, ...]] = {}
        self._listings: dict[str, frozenset[str]] = {}

    def reaches(self, start: str, wanted: set[str], folder: str) -> bool:
        """Whether a file is one of those wanted, or imports one; `folder` is its project's. Paths are real ones."""
        return any(file in wanted for file in self.reached(start, folder))

    def reached(self, start: str, folder: str) -> Iterator[str]:
        """A file and the files of the project that it imports, directly or not."""
        waiting, seen = [start], {start}
        while waiting:
            file = waiting.pop()
            yield file
            new = [each for each in self._imported(file, folder) if each not in seen]
            seen.update(new)
            waiting += new

    def missing(self, start: str, folder: str) -> tuple[str, ...]:
        """The packages that a file, or one that it imports, needs and that are nowhere; what a `try` guards is none."""
        needed = {name for file in self.reached(start, folder) for name in self._needed(file, folder)}
        return tuple(sorted(name for name in needed if top_module(name) is None and not _is_package(name)))

    def _needed(self, file: str, folder: str) -> Iterator[str]:
        tree = file_tree(file)
        guarded = {id(inner) for node in _walk(tree) if isinstance(node, ast.Try) for inner in ast.walk(node)}
        places = [str(Path(file).parent), _package_root(str(Path(file).parent)), folder, os.path.join(folder, "src")]
        for node in _walk(tree):
            names = ast.Module([node], []) if isinstance(node, ast.Import | ast.ImportFrom) else None
            for module, level in () if names is None or id(node) in guarded else _names(names):
                top = module.partition(".")[0]
                here = any(top in self._listing(place) or f"{top}.py" in self._listing(place) for place in places)
                if not level and not here and top not in sys.stdlib_module_names:
                    yield top

    def _imported(self, file: str, folder: str) -> tuple[str, ...]:
        if file not in self._imports:
            self._imports[file] = tuple(dict.fromkeys(self._read(file, folder)))
        return self._imports[file]

    def _read(self, file: str, folder: str) -> Iterator[str]:
        try:
            tree = _imports(Path(file).read_bytes())
        except (OSError, *UNPARSED):
            return
        own = str(Path(file).parent)
        for module, level in _names(tree):
            if level:
                base = Path(own, *[os.pardir] * (level - 1))
                yield from self._files([str(base)], module)
            else:
                yield from self._absolute(module, [own, _package_root(own), folder, os.path.join(folder, "src")])

    def _absolute(self, module: str, folders: list[str]) -> Iterator[str]:
        found = list(self._files(folders, module))
        yield from found or self._files(self._places(module.partition(".")[0]), module)

    def _files(self, folders: Iterable[str], module: str) -> Iterator[str]:
        """The files of a module and of the packages that it lies in; its last part may be a name inside of one."""
        parts = [part for part in module.split(".") if part]
        for folder in dict.fromkeys(folders):
            place, found = folder, [] if parts else [os.path.join(folder, "__init__.py")]
            for part in parts:
                here = self._listing(place)
                if f"{part}.py" in here:
                    found.append(os.path.join(place, f"{part}.py"))
                if part not in here:
                    break
                place = os.path.join(place, part)
                found.append(os.path.join(place, "__init__.py"))
            there = [file for file in found if os.path.basename(file) in self._listing(os.path.dirname(file))]
            yield from map(os.path.realpath, there)

    def _listing(self, folder: str) -> frozenset[str]:
        """The names in a folder; a look at the disk for each import would take longer than reading the files."""
        if folder not in self._listings:
            try:
                self._listings[folder] = frozenset(os.listdir(folder))
            except OSError:
                self._listings[folder] = frozenset()
        return self._listings[folder]

    def _places(self, name: str) -> tuple[str, ...]:
        """Where a package lies that is installed in place, such as by `pip install -e`."""
        if name not in self._tops:
            file = None if name in sys.stdlib_module_names else top_module(name)
            if file is None or installed(file):
                self._tops[name] = ()
            else:
                here = Path(file).parent
                self._tops[name] = (str(here.parent if Path(file).name == "__init__.py" else here),)
        return self._tops[name]


def names_taken(file: str, start: str | os.PathLike[str]) -> tuple[str, ...]:
    """What of a file is worth having for those that import it: its definitions, and the names that others take of it.

    `start` is where the importing begins. A name too many may be among them.
    """
    tree = file_tree(file)
    names = [node.name for node in (tree.body if tree else []) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    module = Path(file).parent.name if Path(file).name == "__init__.py" else Path(file).stem
    for other in ImportGraph().reached(os.fspath(start), os.path.dirname(start)):
        for node in _walk(file_tree(other)) if other != file else ():
            if isinstance(node, ast.ImportFrom) and (node.module or module).rpartition(".")[2] == module:
                names += [alias.name for alias in node.names]
            elif isinstance(node, ast.Attribute) and ast.unparse(node.value).rpartition(".")[2] == module:
                names.append(node.attr)
    return tuple(dict.fromkeys(names))


def _walk(tree: ast.Module | None) -> Iterator[ast.AST]:
    return iter(()) if tree is None else ast.walk(tree)


def _is_package(name: str) -> bool:
    """Whether there is a package of this name without a file of its own."""
    spec = PathFinder.find_spec(name)
    return spec is not None and bool(spec.submodule_search_locations)


def _imports(data: bytes) -> ast.Module:
    """A syntax tree with all imports of a file: of these lines alone where that goes, which is ten times as fast."""
    if not _HIDDEN.search(data):
        with suppress(SyntaxError):
            return ast.parse(b"\n".join(found[0].strip() for found in _STATEMENT.finditer(data)))
    return ast.parse(data)


def _names(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The names of modules that a file imports, each with the number of its leading dots."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module or ''}.{alias.name}".strip("."), node.level) for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and _imports_by_name(node.func):
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value.lstrip("."), len(first.value) - len(first.value.lstrip("."))


def _imports_by_name(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("import_module", "__import__")


def _package_root(folder: str) -> str:
    place = Path(folder)
    while (place / "__init__.py").is_file() and place.parent != place:
        place = place.parent
    return str(place)
