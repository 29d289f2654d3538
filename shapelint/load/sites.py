"""Remembers the place in the source at which each layer is constructed, while the model is built."""

from __future__ import annotations

import copy
import functools
import os
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any, Final, TypeVar

import torch
from torch import nn

from shapelint.load.guess import guess
from shapelint.source.fault import call_foreign
from shapelint.source.ownership import OWN_FOLDER, installed
from shapelint.source.span import CallSite, Span

Result = TypeVar("Result")

_HIDDEN: Final = (os.path.dirname(str(torch.__file__)) + os.sep, OWN_FOLDER, "<frozen")
# `copy.deepcopy` makes a module without calling its __init__; its helper's first local is the original.
_RECONSTRUCT: Final = getattr(getattr(copy, "_reconstruct", None), "__code__", None)


@dataclass(frozen=True, slots=True)
class Site:
    """Where a layer was constructed: the call of its class, then the calls around it, innermost first."""

    calls: tuple[CallSite, ...]

    def inner(self) -> Span:
        """The call that constructed the layer itself, also where that is a line of an installed package."""
        return self.calls[0].span()

    def span(self) -> Span:
        """The innermost call in the user's own files; the very first one where no call is the user's."""
        own = (call for call in self.calls if not installed(call.code.co_filename))
        return next(own, self.calls[0]).span()


class SiteRecorder:
    """A context in which every new module is remembered with the calls that led to it."""

    def __init__(self) -> None:
        self.count = 0
        self._calls: dict[int, tuple[weakref.ref[nn.Module], tuple[CallSite, ...], int]] = {}
        self._kept: tuple[Callable[..., None], Callable[..., None]] | None = None

    def calls(self, module: nn.Module) -> tuple[CallSite, ...] | None:
        """The calls that led to a module that came to be in this context, else None."""
        known = self._calls.get(id(module))
        return known[1] if known is not None and known[0]() is module else None

    def made_all(self, module: nn.Module, start: int) -> bool:
        """Whether the module and all in it came to be in this context, after `count` was `start`."""
        parts = (part for part in parts_of(module) if not isinstance(part, torch.jit.ScriptModule))  # made in C++
        known = [(part, self._calls.get(id(part))) for part in parts]
        return all(entry is not None and entry[0]() is part and entry[2] >= start for part, entry in known)

    def __enter__(self) -> SiteRecorder:
        init: Callable[..., None] = nn.Module.__init__
        setstate: Callable[..., None] = nn.Module.__setstate__
        self._kept = (init, setstate)

        @functools.wraps(init)
        def recording_init(module: nn.Module, *args: Any, **kwargs: Any) -> None:
            self._record(module, _chain(sys._getframe(1), module))
            call_foreign(init, module, *args, **kwargs)

        @functools.wraps(setstate)
        def recording_setstate(module: nn.Module, state: Any) -> None:
            self._record(module, self._copied(sys._getframe(1), module))
            call_foreign(setstate, module, state)

        _replace(recording_init, recording_setstate)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._kept is not None:
            _replace(*self._kept)

    def _record(self, module: nn.Module, calls: tuple[CallSite, ...]) -> None:
        self._calls[id(module)] = (weakref.ref(module), calls, self.count)
        self.count += 1

    def _copied(self, frame: FrameType | None, module: nn.Module) -> tuple[CallSite, ...]:
        """A copy was constructed where its original was."""
        while frame is not None and _first_local(frame) is module:
            frame = frame.f_back
        original = _first_local(frame) if frame is not None and frame.f_code is _RECONSTRUCT else None
        known = self.calls(original) if isinstance(original, nn.Module) else None
        return known if known is not None else _chain(frame, module)


def parts_of(module: nn.Module) -> list[nn.Module]:
    """The module and all in it. Raises what its own `modules` raises, and a TypeError where one has no hash."""
    return call_foreign(list, call_foreign(module.modules))


class Sites(Mapping[str, Site]):
    """From module paths to sites, looked up when asked for: recorded ones, else what the source says."""

    def __init__(self, module: nn.Module, recorder: SiteRecorder) -> None:
        self._modules = dict(module.named_modules())
        self._recorder = recorder

    def __getitem__(self, path: str) -> Site:
        calls = self._recorder.calls(self._modules[path])
        if calls is None:
            call = guess(self._modules, path)
            calls = (call,) if call is not None else ()
        if not calls:
            raise KeyError(path)
        return Site(calls)

    def __iter__(self) -> Iterator[str]:
        return (path for path in self._modules if path in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def begin(function: Callable[[], Result]) -> Result:
    """Calls the function; the chains of calls end here."""
    return function()


def _replace(init: Callable[..., None], setstate: Callable[..., None]) -> None:
    setattr(nn.Module, "__init__", init)  # noqa: B010 - mypy refuses the assignment to a method
    setattr(nn.Module, "__setstate__", setstate)  # noqa: B010


def _chain(frame: FrameType | None, module: nn.Module) -> tuple[CallSite, ...]:
    """The calls from the constructor's outwards, without the constructors of the module itself and torch's frames."""
    while frame is not None and _constructs(frame, module):
        frame = frame.f_back
    calls = []
    while frame is not None and frame.f_code is not begin.__code__:
        file = frame.f_code.co_filename
        if not file.startswith(_HIDDEN):
            calls.append(CallSite(frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return tuple(calls)


def _constructs(frame: FrameType, module: nn.Module) -> bool:
    """Whether a frame belongs to the constructor of the module: its first local is it, or its metaclass runs."""
    first = _first_local(frame)
    called = frame.f_code.co_name == "__call__" and isinstance(first, type) and isinstance(module, first)
    return first is module or called


def _first_local(frame: FrameType) -> object:
    """The first argument of a function, or the first of its `*args`."""
    code = frame.f_code
    if not code.co_varnames:
        return None
    first = frame.f_locals.get(code.co_varnames[0])
    return first[0] if code.co_argcount == 0 and isinstance(first, tuple) and first else first
