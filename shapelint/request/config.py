"""Reads `[tool.shapelint]` of the nearest pyproject.toml that has such a table, as one frozen value.

A key that does not exist and a value of the wrong type are errors: a setting that is silently not applied is worse than
none. Nothing here imports torch or isl; the specs inside are read by the check that uses them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shapelint.errors import ConfigError, nearest
from shapelint.request.options import ModelOptions

PROVIDERS: Final = ("cpu", "cuda")
FILE: Final = "pyproject.toml"
SAVED: Final = (".onnx", ".pt2")  # how the names of files end that are models themselves
_KINDS: Final = {
    str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a table",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConfiguredModel(ModelOptions):
    """One entry of `models`; what it does not say is empty, and its input then comes from the model's comment."""

    target: str
    input: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """What `[tool.shapelint]` says; None and () stand for what it leaves open.

    `file` is the pyproject.toml ("" where there is none), `folder` the one that relative names start from.
    """

    file: str = ""
    folder: str = ""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    models: tuple[ConfiguredModel, ...] = ()
    confirm: tuple[str, ...] | None = None
    cache_dir: str | None = None
    timeout: float | None = None


NONE: Final = Config()


class Configs:
    """Finds the settings for folders; each pyproject.toml is read once."""

    def __init__(self) -> None:
        self._near: dict[Path, Config] = {}
        self._own: dict[Path, Config | None] = {}

    def near(self, folder: Path) -> Config:
        """The settings for the files of a folder: of the nearest pyproject.toml upwards with the table, else none.

        Raises ConfigError with one line that names the file and the key.
        """
        absolute = folder.absolute()
        if absolute not in self._near:
            own = self.own(absolute)
            if own is None:
                own = NONE if absolute.parent == absolute else self.near(absolute.parent)
            self._near[absolute] = own
        return self._near[absolute]

    def own(self, folder: Path) -> Config | None:
        """The settings of the pyproject.toml in exactly this folder; None where it has no such table."""
        if folder not in self._own:
            self._own[folder] = config_in(folder)
        return self._own[folder]


def check_folder() -> None:
    """ConfigError where the current folder has been removed."""
    try:
        Path.cwd()
    except OSError as error:
        raise ConfigError("the current folder does not exist any more; change into another one") from error


def config_in(folder: Path) -> Config | None:
    """The settings of the pyproject.toml in a folder, read now; None where it has no such table.

    Raises ConfigError where the file cannot be read.
    """
    file = folder / FILE
    try:
        data = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"cannot read {_shown(file)}: {error.strerror}") from error
    if b"shapelint" not in data:
        return None
    tool = _parsed(file, data).get("tool")
    table = tool.get("shapelint") if isinstance(tool, dict) else None
    return None if table is None else read_config(file, table)


def _parsed(file: Path, data: bytes) -> dict[str, Any]:
    import tomllib  # only a project that has the table pays for it

    try:
        return tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {_shown(file)}: {error}") from error


def _shown(file: Path) -> str:
    here = Path.cwd()
    return str(file.relative_to(here)) if file.is_relative_to(here) else str(file)


@dataclass(frozen=True, slots=True)
class _Value:
    """A value of the file with the words that say where it stands."""

    where: str
    value: Any

    def wrong(self, wanted: str) -> ConfigError:
        found = _KINDS.get(type(self.value), f"a {type(self.value).__name__}")
        return ConfigError(f"{self.where} is {found}; write {wanted}")


def read_config(file: Path, table: object) -> Config:
    """The settings in a table; ConfigError where a key is unknown or a value has the wrong type."""
    where = f"{_shown(file)}: [tool.shapelint]"
    return Config(file=str(file), folder=str(file.parent), **_table(_Value(where, table), SETTINGS))


def _table(table: _Value, readers: Mapping[str, Callable[[_Value], Any]]) -> dict[str, Any]:
    """The values of a table by the names of the fields."""
    if not isinstance(table.value, dict):
        raise table.wrong("a table")
    for key in table.value:
        if key not in readers:
            raise ConfigError(f"{table.where} has no key {key!r}{nearest(key.replace('_', '-'), tuple(readers))}")
    found = {key: _Value(f"{table.where} {key}", value) for key, value in table.value.items()}
    return {key.replace("-", "_"): readers[key](value) for key, value in found.items()}


def _text(value: _Value, example: str) -> str:
    if not isinstance(value.value, str):
        raise value.wrong(f"a text such as {example}")
    return value.value


def _texts(value: _Value, example: str) -> tuple[str, ...]:
    items = [value.value] if isinstance(value.value, str) else value.value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise value.wrong(f"a list of texts such as {example}")
    return tuple(items)


def _codes(value: _Value) -> tuple[str, ...]:
    return _texts(value, '["SL101", "SL2"]')


def _per_file_ignores(value: _Value) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value.value, dict):
        raise value.wrong('a table such as { "legacy/*" = ["SL201"] }')
    items = value.value.items()
    return tuple((pattern, _codes(_Value(f"{value.where} {pattern!r}", codes))) for pattern, codes in items)


def _confirm(value: _Value) -> tuple[str, ...]:
    if value.value is False:
        return ()
    providers = _texts(value, '["cpu"], or false')
    for provider in providers:
        if provider not in PROVIDERS:
            raise ConfigError(f"{value.where} has no provider {provider!r}{nearest(provider, PROVIDERS)}")
    return providers


def _seconds(value: _Value) -> float:
    if isinstance(value.value, bool) or not isinstance(value.value, int | float) or not value.value >= 0:
        raise ConfigError(f"{value.where} is {value.value!r}; write a number of seconds, or 0 for no limit")
    return float(value.value)


def _models(value: _Value) -> tuple[ConfiguredModel, ...]:
    if not isinstance(value.value, list):
        raise value.wrong('a list such as [{ target = "net.py:Net", input = "1,3,H,W" }]')
    return tuple(_model(_Value(f"{value.where}[{index}]", item)) for index, item in enumerate(value.value))


def _model(value: _Value) -> ConfiguredModel:
    fields = _table(value, MODEL_SETTINGS)
    target = fields.get("target")
    if not target:
        raise ConfigError(f'{value.where} has no target; write target = "net.py:Net"')
    module, _, name = target.rpartition(":")
    if not target.endswith(SAVED) and not (module and name):
        raise ConfigError(f"{value.where} target {target!r} names no model; write 'pkg.mod:Net' or 'path/file.py:Net'")
    return ConfiguredModel(**fields)


def _arguments(value: _Value) -> dict[str, Any]:
    if not isinstance(value.value, dict):
        raise value.wrong("a table such as { depth = 4 }")
    return value.value


def _flag(value: _Value) -> bool:
    if not isinstance(value.value, bool):
        raise value.wrong("true or false")
    return value.value


def _sizes(value: _Value) -> Any:
    """Texts as on the command line, or a table of numbers, texts and lists of numbers by symbol."""
    example = '"H=32..512:32" or { H = "32..512:32", W = [64, 96] }'
    if isinstance(value.value, dict):
        for each in _flat(value.value.values()):
            if isinstance(each, bool) or not isinstance(each, int | str):
                raise _Value(value.where, each).wrong(example)
        return value.value
    if not isinstance(value.value, str | list):
        raise value.wrong(example)
    return _texts(value, example)


def _flat(values: Any) -> Iterator[object]:
    for each in values:
        yield from each if isinstance(each, list) else (each,)


def _folder(value: _Value) -> str:
    return _text(value, '".shapelint_cache"')


def _target(value: _Value) -> str:
    return _text(value, '"net.py:Net"')


def _inputs(value: _Value) -> tuple[str, ...]:
    return _texts(value, '"1,3,H,W" or ["1,3,H,W", "t=1:int64"]')


def _expected(value: _Value) -> str:
    return _text(value, '"_,1,H,W"')


def _build(value: _Value) -> str:
    return _text(value, '"Net(3, (64, 32))"')


def _method(value: _Value) -> str:
    return _text(value, '"encode"')


Reader = Callable[[_Value], Any]
SETTINGS: Final[Mapping[str, Reader]] = {
    "select": _codes,
    "extend-select": _codes,
    "ignore": _codes,
    "per-file-ignores": _per_file_ignores,
    "models": _models,
    "confirm": _confirm,
    "cache-dir": _folder,
    "timeout": _seconds,
}
"""The keys of `[tool.shapelint]`, each with what reads it."""
MODEL_SETTINGS: Final[Mapping[str, Reader]] = {
    "target": _target,
    "input": _inputs,
    "kwargs": _arguments,
    "build": _build,
    "call-kwargs": _arguments,
    "expect": _expected,
    "sizes": _sizes,
    "method": _method,
    "train": _flag,
}
"""The keys of an entry of `models`."""
