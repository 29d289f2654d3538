"""Which classes of some files are models that are worth a check of their own, by reading alone.

A *part* is named in the body of another module class, or in a function that one calls, over files too, or is passed to
another one as a class; being subclassed makes no part. A *loss* says so, or needs a target. A *model* is named outside
of module classes; what nobody builds is a model too, and comes last.
"""

from __future__ import annotations

import ast
import enum
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from shapelint.source.syntax import file_tree

_TARGETS: Final = frozenset({"target", "targets", "label", "labels", "gt", "y_true", "ground_truth", "gts"})
_BASES: Final = ("Module", "Sequential", "PreTrainedModel", "ModelMixin")
_LARGEST: Final = 1_000_000

Key = tuple[str, str]
_Definition = ast.ClassDef | ast.FunctionDef


class ClassRole(enum.StrEnum):
    """What a class is for, by reading."""

    MODEL = "model"
    UNBUILT = "model that nobody builds"
    PART = "part of another model"
    LOSS = "loss"
    ABSTRACT = "abstract class"


@dataclass(frozen=True, slots=True)
class ModelClass:
    """A module class with a `forward`, and what it is for."""

    file: str
    name: str
    line: int
    role: ClassRole


@dataclass(slots=True)
class _SourceFile:
    """A file: its definitions at the top level, where its imported names come from, and what stands outside of them."""

    path: str
    definitions: Mapping[str, _Definition]
    sources: Mapping[str, str]
    rest: list[ast.stmt] = field(default_factory=list)


def model_classes(files: Iterable[str], around: Iterable[str] = ()) -> tuple[ModelClass, ...]:
    """The module classes of some files, models first and those that nobody builds after them, in the files' order.

    The files `around` them are read too, for what is imported from these.
    """
    read = [each for file in files if (each := _read(file)) is not None]
    others = [each for file in around if (each := _read(file)) is not None]
    project = _Project({file.path: file for file in [*read, *others]})
    found = [
        ModelClass(file.path, name, node.lineno, project.role((file.path, name)))
        for file in read
        for name, node in file.definitions.items()
        if project.is_module((file.path, name)) and project.forward((file.path, name)) is not None
    ]
    return tuple(each for role in ClassRole for each in found if each.role is role)


def imports_bases(file: str) -> bool:
    """Whether a class of a file derives from one that the file imports, and that may be a module of the user's."""
    read = _read(file)
    if read is None:
        return False
    classes = [node for node in read.definitions.values() if isinstance(node, ast.ClassDef)]
    bases = [ast.unparse(base) for node in classes for base in node.bases]
    return any(base.partition(".")[0] in read.sources and not base.endswith(_BASES) for base in bases)


def _read(file: str) -> _SourceFile | None:
    tree = file_tree(file, most=_LARGEST)
    if tree is None:
        return None
    definitions = {node.name: node for node in tree.body if isinstance(node, _Definition)}
    rest = [node for node in tree.body if not isinstance(node, _Definition)]
    return _SourceFile(file, definitions, dict(_sources(tree)), rest)


def _sources(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The imported names of a file, each with the last part of the module that it comes from."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((alias.asname or alias.name, (node.module or "").rpartition(".")[2]) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.asname or alias.name, alias.name.rpartition(".")[2]) for alias in node.names)


class _Project:
    """The files together: which definition a name in one of them means, and which classes name which."""

    def __init__(self, files: Mapping[str, _SourceFile]) -> None:
        self.files = files
        self._by_name: dict[str, list[str]] = {}
        for file in files.values():
            for name in file.definitions:
                self._by_name.setdefault(name, []).append(file.path)
        self._modules: dict[Key, bool] = {}
        definitions = [(file, name) for file in files.values() for name in file.definitions]
        self._parts = {key for file, name in definitions for key in self._named_by(file, name)}
        self._parts |= {key for file in files.values() for key in self._passed(file)}
        self._built = {key for file in files.values() for key in self._outside(file)}

    def role(self, key: Key) -> ClassRole:
        """What a module class is for."""
        node = self.forward(key)
        needed = set() if node is None else set(_required(node))
        if "loss" in key[1].lower() or "criterion" in key[1].lower() or needed & _TARGETS:
            return ClassRole.LOSS
        if _is_abstract(self._definition(key)):
            return ClassRole.ABSTRACT
        if key in self._parts:
            return ClassRole.PART
        return ClassRole.MODEL if key in self._built else ClassRole.UNBUILT

    def is_module(self, key: Key) -> bool:
        """Whether a class derives from torch's Module, as far as its bases are read or their names say so."""
        if key not in self._modules:
            self._modules[key] = False  # what derives from itself is none
            node = self._definition(key)
            bases = [] if not isinstance(node, ast.ClassDef) else [ast.unparse(base) for base in node.bases]
            self._modules[key] = any(
                base.endswith(_BASES) or any(map(self.is_module, self._meant(self.files[key[0]], base)))
                for base in bases
            )
        return self._modules[key]

    def forward(self, key: Key, depth: int = 8) -> ast.FunctionDef | None:
        """The `forward` of a class, its own or that of a base in the files."""
        node = self._definition(key)
        if not isinstance(node, ast.ClassDef) or not depth:
            return None
        own = [each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "forward"]
        bases = [base for each in node.bases for base in self._meant(self.files[key[0]], ast.unparse(each))]
        inherited = (self.forward(base, depth - 1) for base in bases)
        return own[-1] if own else next((each for each in inherited if each is not None), None)

    def _definition(self, key: Key) -> _Definition | None:
        return self.files[key[0]].definitions.get(key[1])

    def _meant(self, file: _SourceFile, text: str) -> Iterator[Key]:
        """The definitions that a name in a file may mean: its own, or those of a file that it imports from."""
        owner, _, name = text.rpartition(".")
        if not owner and name in file.definitions:
            yield file.path, name
            return
        source = file.sources.get(owner.partition(".")[0] or name)
        everything = [each for imported, each in file.sources.items() if imported == "*"]
        for path in self._by_name.get(name, ()):
            places = {Path(path).stem, *(part.name for part in list(Path(path).parents)[:2])}
            if path != file.path and (source in places or source == "" or places & set(everything)):
                yield path, name

    def _named_by(self, file: _SourceFile, name: str) -> Iterator[Key]:
        """The module classes that a module class names in its body, or in functions that are named there."""
        key = (file.path, name)
        if not self.is_module(key):
            return
        waiting, seen = [key], {key}
        while waiting:
            where = waiting.pop()
            node = self._definition(where)
            for each in self._mentioned(self.files[where[0]], [] if node is None else node.body):
                if self.is_module(each):
                    yield from () if each == key else (each,)
                elif each not in seen and isinstance(self._definition(each), ast.FunctionDef):
                    seen.add(each)
                    waiting.append(each)

    def _outside(self, file: _SourceFile) -> Iterator[Key]:
        """The module classes that a file names outside of module classes, or imports where it has no class."""
        functions = [node for name, node in file.definitions.items() if not self.is_module((file.path, name))]
        for each in self._mentioned(file, [*file.rest, *functions]):
            if self.is_module(each):
                yield each

    def _passed(self, file: _SourceFile) -> Iterator[Key]:
        """The module classes that a file passes to another one as they are, as in `ResNet(BasicBlock, [2, 2])`."""
        for statement in [*file.rest, *file.definitions.values()]:
            for node in ast.walk(statement):
                with suppress(ValueError, RecursionError):
                    if isinstance(node, ast.Call) and any(map(self.is_module, self._meant(file, _dotted(node.func)))):
                        for each in [*node.args, *(keyword.value for keyword in node.keywords)]:
                            yield from (key for key in self._meant(file, _dotted(each)) if self.is_module(key))

    def _mentioned(self, file: _SourceFile, body: Iterable[ast.stmt]) -> Iterator[Key]:
        hidden = {id(inner) for node in body for inner in _annotations(node)}
        for statement in body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Name | ast.Attribute) and id(node) not in hidden:
                    with suppress(ValueError, RecursionError):
                        yield from self._meant(file, _dotted(node))


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "()"


def _annotations(statement: ast.stmt) -> Iterator[ast.AST]:
    """The nodes of annotations and of `isinstance`, where a name builds nothing."""
    for node in ast.walk(statement):
        parts: list[ast.AST | None] = []
        if isinstance(node, ast.arg | ast.AnnAssign):
            parts = [node.annotation]
        elif isinstance(node, ast.FunctionDef):
            parts = [node.returns]
        elif isinstance(node, ast.Call) and _dotted(node.func) in ("isinstance", "super", "issubclass"):
            parts = [node]
        yield from (inner for part in parts if part is not None for inner in ast.walk(part))


def _required(node: ast.FunctionDef) -> Iterator[str]:
    """The arguments after `self` that have no default."""
    names = [*node.args.posonlyargs, *node.args.args]
    needed = names[1 : len(names) - len(node.args.defaults)] if len(node.args.defaults) < len(names) else []
    keyed = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    yield from (each.arg for each in [*needed, *(each for each, default in keyed if default is None)])


def _is_abstract(node: _Definition | None) -> bool:
    """Whether a class leaves a method to those that derive from it: it cannot be built, or does nothing but raise."""
    body = node.body if isinstance(node, ast.ClassDef) else ()
    methods = [method for method in body if isinstance(method, ast.FunctionDef)]
    marks = [mark for method in methods for mark in method.decorator_list]
    if any(ast.unparse(mark).endswith("abstractmethod") for mark in marks):
        return True
    return any(method.name == "forward" and _is_left_to_others(method) for method in methods)


def _is_left_to_others(method: ast.FunctionDef) -> bool:
    done = [each for each in method.body if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))]
    raised = done[0].exc if len(done) == 1 and isinstance(done[0], ast.Raise) else None
    return raised is not None and ast.unparse(raised).startswith("NotImplementedError")
