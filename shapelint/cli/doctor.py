"""`shapelint doctor`: the versions, providers, settings and cache here, and what the files of models lack."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import click

from shapelint.cli.help import Command, complete_files
from shapelint.errors import ShapelintError, TargetError
from shapelint.jobs.cache import folder_of, held
from shapelint.jobs.targets import TargetReader, annotated_files, model_key
from shapelint.request.config import Configs, check_folder
from shapelint.request.options import CheckOptions
from shapelint.source.folders import python_files
from shapelint.source.import_graph import ImportGraph
from shapelint.source.ownership import shown
from shapelint.terminal import output

_NEEDED: Final = ("torch", "islpy", "numpy", "onnx", "onnxscript", "onnxruntime", "click", "jinja2")
# Packages whose name in the registry is not that of the module.
_PACKAGES: Final = {
    "cv2": "opencv-python", "PIL": "pillow", "skimage": "scikit-image", "sklearn": "scikit-learn", "yaml": "pyyaml",
}  # fmt: skip


@click.command(cls=Command)
@click.argument("targets", nargs=-1, metavar="[TARGET]...", shell_complete=complete_files)
def doctor(targets: tuple[str, ...]) -> int:
    """Tells what is here: versions, providers, settings, the cache, and what models import and is not installed.

    TARGET is that of a check; without it, the configured and annotated models are looked at. Nothing of them is run.
    Exit code: 0, or 1 where something is missing.
    """
    check_folder()
    lines = [*_versions(), *_providers(), *_project(), *_lacking(targets)]
    output.show("".join(f"{line}\n" for _, line in lines))
    return int(any(missing for missing, _ in lines))


def _versions() -> Iterator[tuple[bool, str]]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield False, f"shapelint {version('shapelint')}, Python {python} ({sys.executable}), {platform.platform()}"
    for name in _NEEDED:
        try:
            yield False, f"{name} {version(name)}"
        except PackageNotFoundError:
            if name == "onnxruntime" and (found := _gpu()):
                yield False, f"onnxruntime-gpu {found}"
            else:
                yield True, f"{name} is not installed: pip install {name}"


def _gpu() -> str | None:
    try:
        return version("onnxruntime-gpu")
    except PackageNotFoundError:
        return None


def _providers() -> Iterator[tuple[bool, str]]:
    try:
        from shapelint.confirm.runtime import available_providers

        yield False, f"providers of onnxruntime: {', '.join(available_providers())}"
    except (ImportError, ShapelintError) as error:
        yield True, f"onnxruntime cannot be used: {error}"


def _project() -> Iterator[tuple[bool, str]]:
    try:
        config = Configs().near(Path())
    except ShapelintError as error:
        yield True, str(error)
        return
    models = f"{len(config.models)} model{'s' * (len(config.models) != 1)}"
    yield False, f"settings: {shown(config.file)}, {models}" if config.file else "settings: none"
    folder = folder_of(config.cache_dir or "", config.folder)
    count, size = held(folder) if folder.is_dir() else (0, 0)
    yield False, f"cache: {shown(str(folder))}, {count} report{'s' * (count != 1)}, {size / 1e6:.1f} MB"


def _lacking(targets: tuple[str, ...]) -> Iterator[tuple[bool, str]]:
    """What the files of models import and is not there."""
    graph, here, whole = ImportGraph(), str(Path.cwd()), 0
    for file in dict.fromkeys(_files(targets)):
        if not os.path.isfile(file):
            yield True, f"{shown(file)} is not there"
            continue
        missing = graph.missing(file, here)
        for name in missing:
            package = f" (it is in the package {_PACKAGES[name]})" if name in _PACKAGES else ""
            yield True, f"{shown(file)} needs {name}, which is not installed{package}"
        whole += not missing
    yield False, f"files of models whose imports are all here: {whole}"


def _files(targets: tuple[str, ...]) -> Iterator[str]:
    """The source files of targets, or of the configured and annotated models."""
    for target in targets:
        if os.path.isdir(target):
            yield from map(os.path.realpath, python_files(target))
        elif ":" in target:
            yield model_key(target, str(Path.cwd()), strict=True)[0]
        elif target.endswith(".py"):
            yield os.path.realpath(target)
        else:
            raise TargetError(f"target {target!r} is no Python file; write path/file.py:Net, path/file.py or a folder")
    if not targets:
        yield from (entry.key[0] for entry in TargetReader(CheckOptions()).entries(Path()))
        yield from map(os.path.realpath, annotated_files(python_files()))
