"""From what stands on the command line to the checks that are to be done: nothing here imports a user's module."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shapelint.errors import NoModelError, TargetError
from shapelint.jobs.job import Job, job_of
from shapelint.request.config import FILE, SAVED, Config, Configs, ConfiguredModel
from shapelint.request.options import CheckOptions
from shapelint.source.comments import WORD
from shapelint.source.encoding import UNPARSED
from shapelint.source.folders import python_files, walked
from shapelint.source.import_graph import ImportGraph
from shapelint.source.module_files import module_file
from shapelint.source.notebook import SOURCES, source_of

if TYPE_CHECKING:
    from shapelint.request.annotation import AnnotatedModel

EXAMPLE: Final = "# shapelint: input=1,3,H,W"

Key = tuple[str, str]

# What a class is that reading finds and that is not checked on its own.
_PASSED_OVER: Final = {"part of another model": "part of a model", "loss": "loss", "abstract class": "abstract class"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A model with the settings that it is checked under, and the file and name by which it is known."""

    model: ConfiguredModel
    config: Config
    key: Key


@dataclass(frozen=True, slots=True)
class TargetReader:
    """What one command line may ask for: its options, and the settings of the projects that it meets.

    `passed_over` counts the classes that were read and are no models of their own, by what they are.
    """

    options: CheckOptions
    configs: Configs = field(default_factory=Configs)
    passed_over: Counter[str] = field(default_factory=Counter)
    _read: dict[str, tuple[Entry, ...]] = field(default_factory=dict)

    def of_target(self, target: str) -> tuple[Job, ...]:
        """The checks that a target stands for; TargetError where there is none."""
        if target.endswith(SAVED):
            return self._of_model(target)
        if ":" not in target and target and os.path.isdir(target):
            return self.of_folder(target)
        if ":" not in target and not target.endswith(SOURCES):
            if os.path.dirname(target) and not os.path.exists(target):
                raise TargetError(f"target {target!r}: there is no such file or folder")
            raise TargetError(f"target {target!r} names no model; {_advice(target)}")
        return self._of_file(target) if target.endswith(SOURCES) else self._of_model(target)

    def in_file(self, file: str) -> tuple[Job, ...]:
        """The checks of the models that are annotated in a file or configured for it, which may be none."""
        own = os.path.realpath(file)
        entries = [entry for entry in self.entries(Path(file).parent, Path()) if entry.key[0] == own]
        known, config = {entry.key[1] for entry in entries}, self.configs.near(Path(own).parent)
        for model in _models(file):
            name = model.target.rpartition(":")[2]
            if name not in known:
                entries.append(Entry(_configured(model), config, (own, name)))
        return self.jobs(entries)

    def entries(self, *folders: Path) -> tuple[Entry, ...]:
        """The entries of `models` of the projects to which some folders belong."""
        configs = {config.file: config for config in map(self.configs.near, folders)}
        for file, config in configs.items():
            if file not in self._read:
                self._read[file] = tuple(_entries(config))
        return tuple(entry for file in configs for entry in self._read[file])

    def jobs(self, entries: Iterable[Entry]) -> tuple[Job, ...]:
        """The checks of entries; one without input takes that of the comment above the class."""
        return tuple(dict.fromkeys(self._job(entry) for entry in entries))

    def of_folder(self, folder: str) -> tuple[Job, ...]:
        """The checks of the models below a folder: configured, annotated, or found by reading.

        TargetError where there is none.
        """
        here = os.path.realpath(folder)
        entries = [entry for entry in self.entries(*project_folders(folder)) if entry.key[0].startswith(here + os.sep)]
        files = list(python_files(folder))
        jobs = [*self.jobs(entries), *(job for file in annotated_files(files) for job in self.in_file(file))]
        jobs += self._found(files, {model_key(job.target, str(Path.cwd())) for job in jobs}, alone=False)
        if not jobs:
            raise TargetError(f"{folder!r} has no model: no class in it derives from torch.nn.Module and has a forward")
        return tuple(dict.fromkeys(jobs))

    def _of_file(self, file: str) -> tuple[Job, ...]:
        jobs = self.in_file(file)
        known = {model_key(job.target, str(Path.cwd())) for job in jobs}
        jobs += () if self.options.input and jobs else self._found([file], known, alone=True)
        if not jobs:
            _check_syntax(file)
            from shapelint.source.model_names import shown_targets

            advice = f"name one ({shown_targets(file)}), or put `{EXAMPLE}` above its class"
            raise NoModelError(f"{file!r} has no model that reading finds; {advice}")
        return jobs

    def _found(self, files: Iterable[str], known: set[Key], *, alone: bool) -> tuple[Job, ...]:
        """The checks of the models that reading finds in some files; one that stands `alone` is what was named."""
        from shapelint.evidence.models import imports_bases, model_classes

        files, entries, around = [*files], [], list[str]()
        if alone and imports_bases(files[0]):
            own = os.path.realpath(files[0])
            around = [each for each in ImportGraph().reached(own, str(Path.cwd())) if each != own]
        for model in model_classes(files, around):
            key = (os.path.realpath(model.file), model.name)
            if model.role in _PASSED_OVER:
                self.passed_over[_PASSED_OVER[model.role]] += key not in known
            elif key not in known:
                found = ConfiguredModel(f"{model.file}:{model.name}")
                entries.append(Entry(found, self.configs.near(Path(key[0]).parent), key))
        if self.options.input and len(entries) + len(known) > 1:
            raise TargetError("--input is for one model; name it, such as " + entries[0].model.target)
        single = alone and len(entries) + len(known) == 1
        return tuple(replace(job, found=not single) for job in self.jobs(entries))

    def _of_model(self, target: str) -> tuple[Job, ...]:
        module = target.rpartition(":")[0]
        if not module.endswith(SOURCES) and Path(module).is_file():
            raise TargetError(f"target {target!r}: {module!r} is no Python file")
        file = target if target.endswith(SAVED) else module if module.endswith(SOURCES) else ""
        folder = Path(file).parent
        key = model_key(target, str(Path.cwd()), strict=not self.options.input)
        found = [entry for entry in self.entries(folder, Path()) if entry.key == key]
        if not found:
            found = [Entry(ConfiguredModel(target), self.configs.near(folder), key)]
        return self.jobs(replace(entry, model=replace(entry.model, target=target)) for entry in found)

    def _job(self, entry: Entry) -> Job:
        model = entry.model
        if not model.input and not self.options.input and not model.target.endswith(SAVED):
            model = _annotated(entry)
        return job_of(model, entry.config, self.options)


def model_key(target: str, folder: str, *, strict: bool = False) -> Key:
    """The file (or else the module) and the name that a target means, so that two spellings of it are one.

    `folder` is where relative names start. TargetError where `strict` and there is no such module.
    """
    module, _, name = target.rpartition(":") if not target.endswith(SAVED) else (target, "", "")
    if module.endswith((*SOURCES, *SAVED)):
        return os.path.realpath(os.path.join(folder, module)), name
    try:
        file = module_file(module, folder, target)
    except TargetError:
        if strict:
            raise
        file = None
    return (module if file is None else os.path.realpath(file)), name


def annotated_files(files: Iterable[str]) -> Iterator[str]:
    """Those of some files in which a comment of shapelint stands."""
    for file in files:
        with suppress(OSError):
            if WORD in Path(file).read_bytes():
                yield file


def project_folders(folder: str = ".") -> Iterator[Path]:
    """The folders below a folder, itself included, that have a pyproject.toml."""
    yield from (Path(here) for here, files in walked(folder) if FILE in files)


def _entries(config: Config) -> Iterator[Entry]:
    for model in config.models:
        yield Entry(_from_here(model, config.folder), config, model_key(model.target, config.folder))


def _from_here(model: ConfiguredModel, folder: str) -> ConfiguredModel:
    """The model with a file that is relative to the project named from the current folder."""
    file, colon, name = model.target.rpartition(":") if not model.target.endswith(SAVED) else (model.target, "", "")
    if not file.endswith((*SOURCES, *SAVED)):
        return model
    absolute = os.path.join(folder, file)
    try:
        here = os.path.relpath(absolute)
    except ValueError:  # another drive of Windows
        here = os.pardir
    return replace(model, target=f"{absolute if here.startswith(os.pardir) else here}{colon}{name}")


def _configured(model: AnnotatedModel) -> ConfiguredModel:
    return ConfiguredModel(model.target, model.inputs, expect=model.expect, sizes=model.sizes)


def _annotated(entry: Entry) -> ConfiguredModel:
    """The model with what its comment says, where it has one."""
    model, (file, name) = entry.model, entry.key
    for found in _models(file) if file.endswith(SOURCES) else ():
        if found.target.rpartition(":")[2] == name:
            return replace(
                model, input=found.inputs, expect=model.expect or found.expect, sizes=model.sizes or found.sizes
            )
    if file.endswith(SOURCES):
        from shapelint.source.model_names import check_name

        check_name(file, name, model.target)
    return model


def _models(file: str) -> tuple[AnnotatedModel, ...]:
    from shapelint.request.annotation import annotated_models

    return annotated_models(file)


def _advice(target: str) -> str:
    """What to write in the place of a target without a colon."""
    path, (module, _, name) = Path(target), target.rpartition(".")
    if path.is_file():
        return "it is no Python file; write path/file.py:Net"
    if module and all(part.isidentifier() for part in target.split(".")):
        return f"write {module}:{name}"
    return f"write pkg.mod:{target.strip() or 'Net'} or path/file.py:{target.strip() or 'Net'}"


def _check_syntax(file: str) -> None:
    """TargetError where the file is no Python at all."""
    try:
        compile(source_of(file), file, "exec", dont_inherit=True)
    except UNPARSED as error:
        words = str(error) or "nested too deep"
        raise TargetError(f"cannot read {file!r}: {type(error).__name__}: {words.splitlines()[0]}") from error
