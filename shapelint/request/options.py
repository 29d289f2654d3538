"""What one check is asked to do, besides its target and its inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shapelint.request.spec import Expectation

# Many times what the slowest of some two hundred real networks takes, and below the ten minutes without output after
# which usual CI services end a job, without a word about the model.
TIMEOUT: Final = 300.0


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What one call of the command line asks of each check; None and () leave it to the settings.

    `usual_confirm` is what the command confirms with where neither says anything.
    """

    input: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    expect: str | None = None
    kwargs: dict[str, Any] | None = None
    call_kwargs: dict[str, Any] | None = None
    method: str | None = None
    train: bool = False
    confirm: tuple[str, ...] | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    timeout: float | None = None
    traceback: bool = False
    usual_confirm: tuple[str, ...] = ()
    jobs: int = 1
    picture: bool = False
    cache: bool = True


@dataclass(frozen=True, slots=True)
class Options:
    """What a check is asked to do besides the target and its inputs."""

    sizes: Mapping[str, Sequence[int]]
    expect: Expectation | None
    confirm: tuple[str, ...]
    train: bool
    method: str | None
    picture: bool = False
