"""Finds what a target such as `pkg.mod:Net` or `path/file.py:Net` names, importing the user's module."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import importlib
import importlib.util
import linecache
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Final

from shapelint.errors import TargetError
from shapelint.load.absent import absent_packages, is_absent
from shapelint.load.command_line import no_arguments
from shapelint.load.failure import described, importing_advice, place
from shapelint.load.meant import example, hidden, meant, models, near_modules, owner_shown
from shapelint.load.notebook import CellLoader
from shapelint.load.overlay import loader, overlaid
from shapelint.load.script import forget_parts, part_loader, part_notes, whole_or_part
from shapelint.source.fault import call_foreign, let_out
from shapelint.source.module_files import module_file
from shapelint.source.notebook import ENDING, SOURCES
from shapelint.source.ownership import file_of, installed

# What was imported from a folder that was put on sys.path: the folder, and the time of change of the file.
_imported: Final[dict[str, tuple[Path, float]]] = {}
# The folders of the projects whose models are being checked, the innermost last.
_projects: Final[list[str]] = []
# By the name of a module: the packages that are not installed, with the places that import them.
_missing: Final[dict[str, dict[str, str]]] = {}
_RELATIVE: Final = re.compile(rb"^[ \t]*from[ \t]+(\.+)", re.MULTILINE)
_count_in_front: list[int] = []  # How many folders each `import_path` that is held put on sys.path


def resolve(target: str) -> tuple[object, tuple[str, ...]]:
    """The object that a target names, and what is to be said of its import; TargetError where there is none."""
    where, _, name = target.rpartition(":")
    if not where or not name:
        raise TargetError(f"target {target!r} names no model; write {example(target)}")
    module = _file_module(Path(where), target) if where.endswith(SOURCES) else _named_module(where, target)
    found, missing = _attribute(module, name, target), _missing.get(module.__name__, {})
    if is_absent(found):
        error = f"ModuleNotFoundError: No module named {is_absent(found)!r} ({missing.get(is_absent(found), where)})"
        raise TargetError(f"cannot import {target!r}: {error}")
    absent = ", ".join(f"`{each}` ({place})" for each, place in missing.items())
    told = f"not installed, and the model runs without: {absent}" if absent else ""
    return found, tuple(filter(None, [*part_notes(module.__name__, target), told]))


@contextlib.contextmanager
def import_path(target: object) -> Iterator[None]:
    """The state in which the user's modules import: their folders are first on sys.path, and gone after.

    Modules that an earlier target brought from other folders, or from files that have changed, are forgotten, so
    that two targets may each have their own `blocks.py`. Hold it while the model runs too: forward may import.
    """
    folders = import_folders(target)
    _forget(folders)
    forget_parts(target if isinstance(target, str) else "")
    known = set(sys.modules)
    sys.path[:0] = map(str, folders)
    _count_in_front.append(len(folders))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        _count_in_front.pop()
        for folder in folders:
            with contextlib.suppress(ValueError):
                sys.path.remove(str(folder))
        _remember(set(sys.modules) - known, folders)


@contextlib.contextmanager
def packages_first() -> Iterator[None]:
    """Within `import_path`, the state in which installed packages are found before the user's files: an `onnx.py`
    beside a model is not what the exporter imports.
    """
    before, count = list(sys.path), _count_in_front[-1] if _count_in_front else 0
    sys.path[:] = [*before[count:], *before[:count]]
    try:
        yield
    finally:
        sys.path[:] = before


@contextlib.contextmanager
def edited(texts: Mapping[str, bytes]) -> Iterator[None]:
    """The state in which some of the user's files have other texts, and what was imported of theirs is so again."""
    with overlaid(texts, _imported):
        yield


@contextlib.contextmanager
def import_folder(folder: str) -> Iterator[None]:
    """Modules are imported from the folder of a project too, after the current one; "" is none."""
    _projects.append(folder)
    try:
        yield
    finally:
        _projects.pop()


def import_folders(target: object) -> list[Path]:
    """The folders in which the modules of a target are looked for first."""
    if not isinstance(target, str):
        return []
    here = Path.cwd()
    places = [here, *(_real(Path(folder)) for folder in _projects[-1:] if folder)]
    where = target.rpartition(":")[0]
    if where.endswith(SOURCES):
        places[:0] = _own_folders(_real(here / where))
    return list(dict.fromkeys(places))


def _own_folders(file: Path) -> list[Path]:
    """The folder of a file and the one that its package lies in, that first where the folder hides the package."""
    folder, root = file.parent, _package_root(file.parent)
    if folder == root:
        levels = _relative_levels(file)
        return [folder, folder.parents[levels - 1]] if 0 < levels <= len(folder.parents) else [folder]
    hidden = _lies_in([folder], folder.relative_to(root).parts[0])
    return [root, folder] if hidden else [folder, root]


def _relative_levels(file: Path) -> int:
    """How many folders up the relative imports of a file go, by its text; 0 where it has none or cannot be read."""
    with contextlib.suppress(OSError):
        return max(map(len, _RELATIVE.findall(file.read_bytes())), default=0)
    return 0


def _real(path: Path) -> Path:
    """The path that links lead to; where they lead in a circle, the path itself."""
    return Path(os.path.realpath(path))


def _package_root(folder: Path) -> Path:
    while (folder / "__init__.py").is_file() and folder.parent != folder:
        folder = folder.parent
    return folder


def _remember(names: Iterable[str], folders: list[Path]) -> None:
    """Only what lies in a folder under its own name counts, so that an environment inside of it is left alone."""
    for name in names:
        file = file_of(sys.modules.get(name))
        top = name.partition(".")[0]
        for folder in folders if file and not installed(file) else ():
            path = Path(file or "")
            if path.is_relative_to(folder) and path.relative_to(folder).parts[0] in (top, f"{top}.py"):
                _imported[name] = (folder, _changed(path))


def _forget(folders: list[Path]) -> None:
    """Drops all that came from a folder of which a file has changed, or hides one that the new folders have too."""
    files = {name: file_of(sys.modules.get(name)) or "" for name in _imported}
    gone = set()
    for name, (folder, time) in _imported.items():
        before = folders[: folders.index(folder)] if folder in folders else folders
        if _changed(Path(files[name])) != time or _lies_in(before, name.partition(".")[0]):
            gone.add(folder)
    for name in [name for name, (folder, _) in _imported.items() if folder in gone]:
        del _imported[name]
        sys.modules.pop(name, None)
        linecache.checkcache(files[name])


def _lies_in(folders: list[Path], top: str) -> bool:
    # False also for a name that is too long for a file
    return any(os.path.exists(folder / name) for folder in folders for name in (f"{top}.py", top))


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _file_module(path: Path, target: str) -> ModuleType:
    file = _real(path)
    if not file.is_file():
        others = [found.name for found in file.parent.glob(f"*{file.suffix}") if found.is_file()]
        near = difflib.get_close_matches(path.name, others, 1)
        raise TargetError(f"target {target!r}: there is no file {str(path)!r}{meant(near)}")
    wanted = target.rpartition(":")[2] if file.suffix == ENDING else ""
    name = f"{file.stem}_{hashlib.sha256(os.fsencode(file) + wanted.encode()).hexdigest()[:12]}"
    if wanted:
        needed = CellLoader(file, wanted)
        return sys.modules.get(name) or _guarded(lambda: _run_file(name, file, needed), str(path), "")
    run = partial(_run_file, name, file)
    return sys.modules.get(name) or _guarded(lambda: whole_or_part(run, file, target), str(path), "")


def _run_file(name: str, file: Path, cells: CellLoader | None = None) -> ModuleType:
    linecache.checkcache(str(file))
    found = cells or part_loader(name, str(file)) or loader(name, str(file))
    spec = importlib.util.spec_from_file_location(name, file, loader=found)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    _imported[name] = (file.parent, _changed(file))
    try:
        call_foreign(spec.loader.exec_module, module)
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, ImportError) and "no known parent package" in str(error):
            return _in_package(file)
        raise
    return module


def _in_package(file: Path) -> ModuleType:
    """The module of a file with relative imports, as a part of its package; its folders may have no `__init__.py`.

    Raises TargetError where another module has its name.
    """
    root = _package_root(file.parent)
    root = root if root != file.parent else _own_folders(file)[-1]
    name = ".".join(file.relative_to(root).with_suffix("").parts)
    module = call_foreign(importlib.import_module, name)
    if _real(Path(file_of(module) or "")) != file:
        raise TargetError(f"{str(file)!r} has relative imports, but {name!r} is another module")
    return module


def _named_module(name: str, target: str) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        hint = f"; write '{name}.py:Net'" if Path(f"{name}.py").is_file() else ""
        raise TargetError(f"target {target!r}: {name!r} is no module name and no .py file{hint}")
    file = "" if name in sys.modules else _own_source(name, target)

    run = partial(call_foreign, importlib.import_module, name)
    return _guarded(lambda: whole_or_part(run, Path(file), target) if file else run(), name, name)


def _own_source(module: str, target: str) -> str:
    """The source file of a module of the user's; "" for others, and where there is no such module."""
    try:
        file = os.path.realpath(module_file(module, os.getcwd(), target) or "")
    except TargetError:
        return ""
    return file if os.path.isfile(file) and not installed(file) else ""


def _guarded(run: Callable[[], ModuleType], shown: str, module: str) -> ModuleType:
    """The module that `run` imports, with every failure as one line."""
    try:
        with absent_packages() as missing, no_arguments(shown):
            found = run()
        _missing.setdefault(found.__name__, {}).update(missing)
        return found
    except TargetError:  # of a notebook
        raise
    except ModuleNotFoundError as error:
        if error.name and f"{module}.".startswith(f"{error.name}."):
            raise TargetError(f"there is no module {module!r}{meant(near_modules(module, error.name))}") from error
        raise TargetError(f"cannot import {shown!r}: {described(error)}{place(error)}") from error
    except SyntaxError as error:
        raise TargetError(f"cannot import {shown!r}: {described(error)}{place(error)}") from error
    except SystemExit as error:
        ended = f"importing {shown!r} ends the program ({described(error)}){place(error)}"
        raise TargetError(f'{ended}; write `if __name__ == "__main__":` above what is to be run') from error
    except Exception as error:  # the user's code
        let_out(error)
        failure = f"cannot import {shown!r}: {described(error)}{place(error)}"
        raise TargetError(failure + importing_advice(error)) from error


def _attribute(module: ModuleType, name: str, target: str) -> object:
    found: object = module
    for part in name.split("."):
        try:
            found = call_foreign(getattr, found, part)
        except AttributeError:
            hint = hidden(found, target) or models(found, part)
            raise TargetError(f"target {target!r}: {owner_shown(found, target)} has no {part!r}{hint}") from None
        except Exception as error:  # the user's code
            let_out(error)
            raise TargetError(f"cannot import {target!r}: {described(error)}{place(error)}") from error
    return found
