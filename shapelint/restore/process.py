"""Keeps torch's and Python's global state as it was while the user's code runs.

Every run gives it back too, so that the next one starts from the same: some 30 microseconds, 120 where numpy's random
numbers are in use. Only what changed is set, and one state, taken once, stands for all runs of a check.
Not kept: files, sockets and threads, modules that were imported, and what other libraries keep for themselves.
"""

from __future__ import annotations

import contextlib
import locale
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Final

import torch
from torch.nn.modules import module as hooks
from torch.overrides import _get_current_function_mode_stack

from shapelint.restore.random import Drawn

Get = Callable[[], Any]
Set = Callable[[Any], object]


def _device() -> Any:
    """torch's own mode for the default device; None where nobody has set one."""
    return getattr(torch._GLOBAL_DEVICE_CONTEXT, "device_context", None)


def _set_device(mode: Any) -> None:
    torch.set_default_device(None if mode is None else mode.device)


def _set_deterministic(state: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(state[0], warn_only=state[1])


def _autocast() -> tuple[Any, ...]:
    kinds = ("cpu", "cuda")
    enabled, dtypes = map(torch.is_autocast_enabled, kinds), map(torch.get_autocast_dtype, kinds)
    return *enabled, *dtypes, torch.is_autocast_cache_enabled()


def _set_autocast(state: tuple[Any, ...]) -> None:
    torch.set_autocast_enabled("cpu", state[0])
    torch.set_autocast_enabled("cuda", state[1])
    torch.set_autocast_dtype("cpu", state[2])
    torch.set_autocast_dtype("cuda", state[3])
    torch.set_autocast_cache_enabled(state[4])


def _folder() -> str:
    """The current folder; "" where it has been removed."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def _set_folder(folder: str) -> None:
    with contextlib.suppress(OSError):
        os.chdir(folder)


def _attributes(owner: Any, *names: str) -> tuple[Get, Set]:
    """A setting that is some attributes of an object, each put back as the object that it was."""

    def put(values: tuple[Any, ...]) -> None:
        for name, value in zip(names, values, strict=True):
            setattr(owner, name, value)

    return lambda: tuple(getattr(owner, name) for name in names), put


_handler: Final = getattr(signal.getsignal, "__wrapped__", signal.getsignal)  # without the names of an enum


def _signals() -> tuple[Any, ...]:
    return tuple(map(_handler, _SIGNALS))


def _set_signals(handlers: tuple[Any, ...]) -> None:
    for number, handler in zip(_SIGNALS, handlers, strict=True):
        if handler is not None and threading.current_thread() is threading.main_thread():
            signal.signal(number, handler)


_SIGNALS: Final = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGCHLD")
    if hasattr(signal, name)
)

_SETTINGS: Final[tuple[tuple[Get, Set], ...]] = (
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (torch.get_default_dtype, torch.set_default_dtype),
    (_device, _set_device),
    (torch.get_num_threads, torch.set_num_threads),
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    (_autocast, _set_autocast),
    (
        lambda: (torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()),
        _set_deterministic,
    ),
    (torch._C._get_cudnn_benchmark, torch._C._set_cudnn_benchmark),
    (torch._C._get_cudnn_deterministic, torch._C._set_cudnn_deterministic),
    (torch._C._get_cudnn_enabled, torch._C._set_cudnn_enabled),
    (sys.getrecursionlimit, sys.setrecursionlimit),
    (_folder, _set_folder),
    (lambda: locale.setlocale(locale.LC_ALL), lambda state: locale.setlocale(locale.LC_ALL, state)),
    (_signals, _set_signals),
    _attributes(sys, "stdin", "stdout", "stderr", "argv", "path", "excepthook", "displayhook"),
    _attributes(warnings, "filters", "showwarning"),
    _attributes(logging.root, "level", "handlers", "disabled"),
    (lambda: logging.root.manager.disable, logging.disable),
)


def _containers() -> list[Any]:
    """What a model may add to: paths, arguments, filters, and the hooks that all modules share."""
    return [sys.path, sys.argv, warnings.filters, logging.root.handlers, *shared_hooks()]


def shared_hooks() -> list[Any]:
    """The hooks that all modules share, in dicts."""
    return [each for name, each in vars(hooks).items() if name.startswith("_global") and isinstance(each, dict)]


def settings() -> tuple[Any, ...]:
    """What a model may have changed of all this, as it is now, to be compared."""
    found = [get() for get, _ in _SETTINGS]
    copies = (each.copy() if isinstance(each, list) else each for each in found)
    return *copies, *(each.copy() for each in _containers()), _environment().copy()


def refill(container: Any, content: Any) -> None:
    """Gives a list, dict or set its old content again, in place, since others may hold it."""
    container.clear()
    if isinstance(container, list):
        container.extend(content)
    else:
        container.update(content)
    if container is warnings.filters:
        getattr(warnings, "_filters_mutated", lambda: None)()


class _Ways:
    """The ways in which modules are found, by which shapelint finds its own too."""

    def __init__(self) -> None:
        names = ("path", "meta_path", "path_hooks")
        self._ways = [(name, way := getattr(sys, name), way.copy()) for name in names]

    def give_back(self) -> None:
        """Adds again what was removed; what was added stays."""
        for name, way, before in self._ways:
            now = getattr(sys, name)
            if now is not way:
                way[:] = now if isinstance(now, list) else before
                setattr(sys, name, way)
            if way != before:
                way.extend(each for each in before if each not in way)


@contextlib.contextmanager
def restored_import_paths() -> Iterator[None]:
    """Gives back at the end what an import inside removed from the ways in which modules are found."""
    ways = _Ways()
    try:
        yield
    finally:
        ways.give_back()


class _State:
    """What a model may change, as it was when this was made."""

    def __init__(self, *, imports: bool) -> None:
        self._ways = _Ways()
        self._settings = [(get, put, get()) for get, put in _SETTINGS]
        self._containers = [(each, each.copy()) for each in _containers() if not imports or each is not sys.path]
        self._environment, self._raw = os.environ.copy(), _environment()
        self._drawn, self._modes = Drawn(), _modes()
        self._seeded = False

    def begin(self) -> None:
        """Gives back the random states that runs with states of their own left."""
        if self._seeded:
            self._drawn.give_back()
            self._seeded = False

    def give_back(self, *, seeded: bool = False) -> None:
        """Puts everything back; with `seeded`, the random states when something else begins."""
        self._ways.give_back()
        for get, put, value in self._settings:
            if get() != value:
                put(value)
        for container, content in self._containers:
            if container != content:
                refill(container, content)
        if _environment() != self._raw:
            refill(os.environ, self._environment)
        if _modes() != self._modes:
            _set_modes(self._modes)
        self._seeded = seeded
        if not seeded:
            self._drawn.give_back()


_shared: Final[list[_State]] = []


@contextlib.contextmanager
def restored_state(*, imports: bool = False, seeded: bool = False) -> Iterator[None]:
    """Gives back the state of torch and of Python at the end.

    Where there are `imports` inside, sys.path stays as they leave it: a module is imported once, and what it added is
    there when it imports more in a later call. What is `seeded` sets the random states itself: one after the other
    inside of `shared_state`, they are given back once.
    """
    state = _shared[-1] if _shared else _State(imports=imports)
    if not seeded:
        state.begin()
    try:
        yield
    finally:
        state.give_back(seeded=seeded and bool(_shared))


@contextlib.contextmanager
def shared_state() -> Iterator[None]:
    """Takes the state once for every `restored_state` inside; nothing outside of those may change it."""
    with restored_state():
        _shared.append(_State(imports=False))
        try:
            yield
        finally:
            _shared.pop()


def _environment() -> dict[Any, Any]:
    """The environment in the form in which Python holds it: to read it as text takes a hundred times as long."""
    return dict(getattr(os.environ, "_data", os.environ))


def _modes() -> list[Any]:
    """The modes of torch's functions, of which a model may have entered one that it did not leave."""
    return _get_current_function_mode_stack()  # type: ignore[no-untyped-call,no-any-return]


def _set_modes(modes: list[Any]) -> None:
    for _ in range(torch._C._len_torch_function_stack()):
        torch._C._pop_torch_function_stack()
    for mode in modes:
        torch._C._push_on_torch_function_stack(mode)
