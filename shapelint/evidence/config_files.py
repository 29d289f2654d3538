"""What files of settings say, YAML (as PyYAML reads it, where that is installed) and JSON: data, which nothing runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shapelint.evidence.scopes import NotLiteral
from shapelint.source.folders import project_files

ENDINGS: Final = (".yaml", ".yml", ".json")
_LARGEST_FILE: Final = 200_000
_FILES: Final = 300
_HIGHEST: Final = 6
_NUMBER: Final = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")  # which YAML 1.1 takes for a text
_REFERENCE: Final = re.compile(r"\$\{([\w.]+)\}")


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping in a file of settings: its place, the key that it stands under, and what it holds."""

    file: str
    line: int
    key: str
    entries: Mapping[str, Any]


def sections(file: str) -> Iterator[Section]:
    """The mappings in the files of settings of a source file's project."""
    for each in project_files(file, _FILES, ENDINGS):
        with suppress(NotLiteral):
            text = _text(Path(each))
            root = _data(text, each)
            lines = text.splitlines()
            for key, found in _mappings(root, ""):
                with suppress(NotLiteral):
                    yield Section(each, _line(lines, key, found), key, _resolved(found, root))


def read_config(path: str, file: str) -> Any:
    """The data of a file that a source file names, beside it, in a folder above, or in the current one.

    Raises NotLiteral where there is none that can be read.
    """
    folders = [*list(Path(file).parents)[:_HIGHEST], Path.cwd()]
    found = next((each for folder in folders if (each := folder / path).is_file()), None)
    if found is None or found.suffix not in ENDINGS:
        raise NotLiteral(path)
    root = _data(_text(found), str(found))
    return _resolved(root, root)


def composed(folder: Path, name: str) -> Any:
    """The settings that hydra composes of a file and its `defaults`; raises NotLiteral."""
    root = _composed(folder, name, 4)
    return _resolved(root, root)


def _composed(folder: Path, name: str, depth: int) -> dict[str, Any]:
    file = next((each for ending in ENDINGS if (each := folder / f"{name}{ending}").is_file()), None)
    own = None if file is None else _data(_text(file), str(file))
    if not isinstance(own, dict) or not depth:
        raise NotLiteral(name)
    found: dict[str, Any] = {}
    defaults = own.pop("defaults", [])
    for each in defaults if isinstance(defaults, list) else []:
        with suppress(NotLiteral):
            if isinstance(each, str) and each != "_self_":
                _merge(found, _composed(folder, each, depth - 1))
            for group, option in each.items() if isinstance(each, dict) else ():
                words = str(group).removeprefix("override ").removeprefix("optional ").partition("@")
                inner = _composed(folder / words[0].lstrip("/"), str(option), depth - 1)
                for part in reversed((words[2] or words[0]).strip("/").split("/")):
                    inner = {part: inner}
                _merge(found, inner)
    _merge(found, own)
    return found


def _merge(into: dict[str, Any], other: Mapping[str, Any]) -> None:
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _LARGEST_FILE:
            raise NotLiteral(str(file))
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise NotLiteral(str(file)) from error


def _data(text: str, file: str) -> Any:
    try:
        if file.endswith(".json"):
            return json.loads(text)
        import yaml
    except (ImportError, ValueError, RecursionError) as error:
        raise NotLiteral(file) from error
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise NotLiteral(file) from error


def _mappings(data: Any, key: str, depth: int = 8) -> Iterator[tuple[str, dict[str, Any]]]:
    """The mappings of a file from the outside in, with the keys that they stand under."""
    if isinstance(data, dict) and depth:
        if all(isinstance(each, str) for each in data):
            yield key, data
        for name, value in data.items():
            yield from _mappings(value, str(name), depth - 1)
    for each in data if isinstance(data, list) and depth else ():
        yield from _mappings(each, key, depth - 1)


def _line(lines: list[str], key: str, found: Mapping[str, Any]) -> int:
    """The line at which a mapping begins, as far as its first keys tell it."""
    wanted = [name for name in (key, next(iter(found), "")) if name]
    at = 0
    for name in wanted:
        pattern = re.compile(rf'[\s"\'{{,-]*{re.escape(name)}["\']?\s*:')
        at = next((index for index in range(at, len(lines)) if pattern.match(lines[index])), at)
    return at + 1


def _resolved(value: Any, root: Any, depth: int = 12) -> Any:
    """A value with what `${model.width}` stands for in it; raises NotLiteral where that is not in the file."""
    if not depth:
        raise NotLiteral("too deep")
    if isinstance(value, dict):
        found = {}
        for key, item in value.items():
            with suppress(NotLiteral):
                found[key] = _resolved(item, root, depth - 1)
        return found
    if isinstance(value, list):
        return [_resolved(item, root, depth - 1) for item in value]
    if not isinstance(value, str):
        return value
    reference = _REFERENCE.fullmatch(value.strip())
    if reference is None:
        if "${" in value:
            raise NotLiteral(value)
        return float(value) if _NUMBER.fullmatch(value) else value
    found = root
    for part in reference[1].split("."):
        if not isinstance(found, dict) or part not in found:
            raise NotLiteral(value)
        found = found[part]
    return _resolved(found, root, depth - 1)
