"""Packages that are not installed and that the model does not use: placeholders, which raise when they are used.

Only an import that would end the file has one: a statement at the level of a module of the user's, in no `try`. While
modules are imported, attributes and calls of a placeholder give placeholders (`@hydra.main()`, `plt.style.use(...)`);
they never become a value, and in a model's constructor or forward they raise what the import would have raised.
"""

from __future__ import annotations

import ast
import importlib
import importlib.machinery
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from types import FrameType, ModuleType
from typing import Any, Final, NoReturn

from shapelint.source.fault import call_foreign
from shapelint.source.ownership import installed, shown
from shapelint.source.syntax import tree

_PARTS_OF_IMPORT: Final = "<frozen importlib"
_importing: list[dict[str, str]] = []  # of each import that goes on: the packages that are missing, and where


@contextmanager
def absent_packages() -> Iterator[dict[str, str]]:
    """The state in which a package that is missing is imported as a placeholder; yields their names and places."""
    found = dict[str, str]()
    _importing.append(found)
    try:
        with also_found_by(_AbsentFinder()):
            yield found
    finally:
        _importing.pop()
        for name, module in list(sys.modules.items()):
            if isinstance(module, _AbsentPackage):
                del sys.modules[name]


@contextmanager
def also_found_by(finder: MetaPathFinder, *, first: bool = False) -> Iterator[None]:
    """The state in which a finder is asked for modules too, last or first; what is imported may change the list."""
    finders = sys.meta_path
    finders.insert(0 if first else len(finders), finder)
    try:
        yield
    finally:
        for each in (finders, sys.meta_path):
            if finder in each:
                each.remove(finder)


def is_absent(value: object) -> str:
    """The package of a placeholder; "" for all other values."""
    kind = type(value)
    return value.__name__.partition(".")[0] if isinstance(value, _AbsentPackage) else getattr(kind, "_package", "")


def absent_base(kind: type) -> str:
    """The package that is not installed and of which a class derives; "" where there is none."""
    bases = (vars(base) for base in kind.__mro__ if base.__name__ == "Absent")
    return next((base["_package"] for base in bases if "_package" in base), "")


class _AbsentPackage(ModuleType):
    """A package that is not installed."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _placeholder(self.__name__.partition(".")[0])


class _AbsentFinder(MetaPathFinder, Loader):
    """Finds what nobody else has found, where its import would end a module of the user's."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        top = name.partition(".")[0]
        if top != name:
            known = isinstance(sys.modules.get(top), _AbsentPackage)
            return importlib.machinery.ModuleSpec(name, self, is_package=True) if known else None
        frame = _importing_frame()
        statement = None if frame is None else _plain_import(frame, name)
        if frame is None or statement is None:
            return None
        _importing[-1].setdefault(name, f"{shown(frame.f_code.co_filename)}:{statement.lineno}")
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _AbsentPackage(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is run."""


def _importing_frame() -> FrameType | None:
    """The frame whose statement imports, where that is the level of a module of the user's."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(_PARTS_OF_IMPORT):
        frame = frame.f_back
    if frame is None or frame.f_code.co_name != "<module>" or installed(frame.f_code.co_filename):
        return None
    return frame


def _plain_import(frame: FrameType, name: str) -> ast.stmt | None:
    """The import of a name by a frame, with no `try` around it and no star, which would give unknown names."""
    line = frame.f_lineno
    for statement in tree(frame.f_code.co_filename).body:
        if statement.lineno <= line <= (statement.end_lineno or line):
            return _import_within(statement, line, name)
    return None


def _import_within(statement: ast.stmt, line: int, name: str) -> ast.stmt | None:
    if isinstance(statement, ast.Try | ast.TryStar | ast.With):
        return None
    if isinstance(statement, ast.Import):
        return statement if any(each.name.partition(".")[0] == name for each in statement.names) else None
    if isinstance(statement, ast.ImportFrom):
        named = not statement.level and (statement.module or "").partition(".")[0] == name
        return statement if named and all(each.name != "*" for each in statement.names) else None
    inner = [each for each in ast.iter_child_nodes(statement) if isinstance(each, ast.stmt)]
    return next((_import_within(each, line, name) for each in inner if _covers(each, line)), None)


def _covers(statement: ast.stmt, line: int) -> bool:
    return statement.lineno <= line <= (statement.end_lineno or line)


def _raise(package: str) -> NoReturn:
    """Raises what importing the package raises, whatever stands for it meanwhile."""
    present = sys.modules.pop(package, None)
    try:
        call_foreign(importlib.import_module, package)
    finally:
        if present is not None:
            sys.modules[package] = present
    raise AssertionError(f"{package} is installed by now")


def _placeholder(package: str) -> Any:
    """A value of a package that is not installed: while modules are imported it may be passed on, else it raises."""

    def used(self: object, *args: object, **kwargs: object) -> NoReturn:
        _raise(package)

    def passed_on(self: object, *args: object, **kwargs: object) -> Any:
        if not _importing:
            _raise(package)
        return self

    def attribute(self: object, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return passed_on(self)

    base = type("Absent", (), {"__new__": used, "__module__": package, "_package": package})
    methods = {
        **dict.fromkeys(_USES, used),
        **dict.fromkeys(("__call__", "__setattr__", "__setitem__"), passed_on),
        **dict.fromkeys(("__getitem__", "__or__", "__ror__"), lambda self, *_: self),
        "__getattr__": attribute,
        "__mro_entries__": lambda self, bases: (base,),
        "__hash__": object.__hash__,
        "_package": package,
    }
    return type("Absent", (), methods)()


_USES: Final = tuple(f"__{name}__" for name in (
    "bool", "len", "iter", "next", "contains", "enter", "exit", "instancecheck", "subclasscheck", "eq", "ne", "lt",
    "le", "gt", "ge", "add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "floordiv", "rfloordiv",
    "mod", "rmod", "pow", "rpow", "matmul", "rmatmul", "and", "rand", "xor", "rxor", "neg", "pos", "abs", "invert",
    "index", "int", "float", "complex", "str", "format", "await", "aiter", "anext", "delitem", "delattr",
    "torch_function",
))  # fmt: skip
