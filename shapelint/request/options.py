"""What one check is asked to do, besides its target and its inputs."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from shapelint.errors import SpecError
from shapelint.request.spec import Expectation

# Many times what the slowest of some two hundred real networks takes, and below the ten minutes without output after
# which usual CI services end a job, without a word about the model.
TIMEOUT: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions:
    """How one model is asked, in the words of a person: on the command line, in the settings, or in a comment.

    None leaves it to whoever says something.
    """

    expect: str | None = None
    sizes: Any = None
    build: str | None = None
    kwargs: Mapping[str, Any] | None = None
    call_kwargs: Mapping[str, Any] | None = None
    method: str | None = None
    train: bool = False

    def over(self, other: ModelOptions) -> dict[str, Any]:
        """Each option as it is said here, or else there."""
        said = {each.name: (getattr(self, each.name), getattr(other, each.name)) for each in fields(ModelOptions)}
        return {name: there if here in (None, False, ()) else here for name, (here, there) in said.items()}


@dataclass(frozen=True, slots=True)
class CheckOptions(ModelOptions):
    """What one call of the command line asks of each check; None and () leave it to the settings.

    `usual_confirm` is what the command confirms with where neither says anything.
    """

    input: tuple[str, ...] = ()
    confirm: tuple[str, ...] | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    timeout: float | None = None
    traceback: bool = False
    usual_confirm: tuple[str, ...] = ()
    jobs: int = 1
    picture: bool = False
    calls: bool = False
    cache: bool = True
    spec: str = ""
    at: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What a check is asked to do besides the target and its inputs."""

    sizes: Mapping[str, Sequence[int]]
    expect: Expectation | None
    confirm: tuple[str, ...]
    train: bool
    method: str | None
    picture: bool = False
    build: str | None = None
    calls: bool = False


def drawn(picture: bool | None) -> bool:
    """Whether a report keeps its picture: as asked, else where IPython runs, whose notebooks show it."""
    return hasattr(builtins, "get_ipython") if picture is None else picture


_KINDS: Final[Mapping[str, tuple[Any, str]]] = {
    "call_kwargs": (Mapping | None, "dict of arguments"),
    "build": (str | None, "text of Python"),
    "method": (str | None, "name"),
    "confirm": (Iterable, "tuple of providers"),
    "select": (Iterable, "list of codes"),
    "ignore": (Iterable, "list of codes"),
}


def check_kinds(**given: object) -> None:
    """SpecError where an argument is of a type that it cannot be."""
    for name, value in given.items():
        kind, words = _KINDS[name]
        if not isinstance(value, kind):
            raise SpecError(f"{name} is of type {type(value).__name__}, but no {words}")
