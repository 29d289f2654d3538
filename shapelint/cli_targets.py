"""From what stands on the command line to the checks that are to be done: nothing here imports a user's module."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shapelint.cli_options import CheckOptions
from shapelint.errors import SpecError, TargetError

if TYPE_CHECKING:
    from shapelint.annotation import AnnotatedModel

EXAMPLE = "# shapelint: input=1,3,H,W"


@dataclass(frozen=True, slots=True)
class Job:
    """One check: a target, its inputs, and what is asked of it."""

    target: str
    inputs: tuple[str, ...]
    expect: str | None = None
    sizes: Any = None


def jobs_of(target: str, options: CheckOptions) -> tuple[Job, ...]:
    """The checks that a target stands for; TargetError or SpecError where there is none."""
    if ":" not in target and not target.endswith(".py"):
        raise TargetError(f"target {target!r} names no model; {_advice(target)}")
    if target.endswith(".py"):
        return _file_jobs(target, options)
    if options.input:
        return (Job(target, options.input, options.expect, options.sizes or None),)
    return (_annotated(target, options),)


def _advice(target: str) -> str:
    """What to write in the place of a target without a colon."""
    path, (module, _, name) = Path(target), target.rpartition(".")
    if target and path.is_dir():
        return "it is a folder; name a file or a model in it, or call `shapelint check` in it without TARGET"
    if path.is_file():
        return "it is no Python file; write path/file.py:Net"
    if module and all(part.isidentifier() for part in target.split(".")):
        return f"write {module}:{name}"
    return f"write pkg.mod:{target.strip() or 'Net'} or path/file.py:{target.strip() or 'Net'}"


def jobs_in(files: Iterable[str], options: CheckOptions) -> tuple[Job, ...]:
    """The checks of all annotated models in some files, which may be none."""
    models = (model for file in files for model in _models(file))
    return tuple(_job(model.target, model, options) for model in models)


def python_files(folder: str = ".") -> Iterator[str]:
    """The Python files below a folder, without hidden folders and environments, in a fixed order."""
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(each for each in folders if _searched(Path(here, each)))
        yield from (os.path.normpath(Path(here, file)) for file in sorted(files) if file.endswith(".py"))


def _searched(folder: Path) -> bool:
    hidden = folder.name.startswith(".") or folder.name in ("__pycache__", "node_modules", "site-packages")
    return not hidden and not (folder / "pyvenv.cfg").exists()


def _models(file: str) -> tuple[AnnotatedModel, ...]:
    from shapelint.annotation import annotated_models

    return annotated_models(file)


def _file_jobs(file: str, options: CheckOptions) -> tuple[Job, ...]:
    jobs = jobs_in((file,), options)
    if not jobs:
        _check_syntax(file)
        raise TargetError(f"{file!r} has no annotated model; name one ({file}:Net), or put `{EXAMPLE}` above its class")
    return jobs


def _check_syntax(file: str) -> None:
    """TargetError where the file is no Python at all."""
    try:
        compile(Path(file).read_bytes(), file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise TargetError(f"cannot read {file!r}: {type(error).__name__}: {str(error).splitlines()[0]}") from error


def _annotated(target: str, options: CheckOptions) -> Job:
    module, _, name = target.rpartition(":")
    if not module.endswith(".py") and Path(module).is_file():
        raise TargetError(f"target {target!r}: {module!r} is no Python file")
    file = module if module.endswith(".py") else _module_file(module, target)
    for model in _models(file) if file else ():
        if model.target.rpartition(":")[2] == name:
            return _job(target, model, options)
    raise SpecError(f"target {target!r} has no input; give --input 1,3,H,W, or put `{EXAMPLE}` above its class")


def _job(target: str, model: AnnotatedModel, options: CheckOptions) -> Job:
    inputs = options.input or tuple(model.inputs)
    return Job(target, inputs, options.expect or model.expect, options.sizes or model.sizes)


def _module_file(module: str, target: str) -> str | None:
    """The source file of a module, found without importing its packages; None where it has none."""
    folders: list[str] | None = None
    for depth, part in enumerate(module.split("."), 1):
        spec = PathFinder.find_spec(part, ["", *sys.path] if folders is None else folders)
        if spec is None:
            name = ".".join(module.split(".")[:depth])
            raise TargetError(f"target {target!r}: there is no module {name!r} here or in the environment")
        folders = list(spec.submodule_search_locations or ())
    return spec.origin if spec and spec.origin and spec.origin.endswith(".py") else None
