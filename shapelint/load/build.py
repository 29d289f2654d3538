"""Builds the module that a target names: on meta where it allows that, else on the CPU and then moved there."""

from __future__ import annotations

import difflib
import functools
import inspect
import operator
import os
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from shapelint.errors import SpecError, TargetError, foreseen
from shapelint.load.absent import absent_base
from shapelint.load.command_line import no_arguments
from shapelint.load.constants import LARGEST_ATTRIBUTE, is_small_buffer
from shapelint.load.devices import NamedDevices
from shapelint.load.failure import building_advice, described, place
from shapelint.load.script import built_with
from shapelint.load.sites import Site, SiteRecorder, Sites, begin, parts_of
from shapelint.load.target import import_path, resolve
from shapelint.load.weights_on_meta import WeightsOnMeta
from shapelint.request.entries import AnnotatedObject, Entries, fitted, names_in
from shapelint.restore.process import restored_import_paths, restored_state
from shapelint.source.encoding import UNPARSED
from shapelint.source.fault import call_foreign, let_out
from shapelint.source.ownership import module_of

_META: Final = torch.device("meta")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A module to trace, and where its layers were constructed.

    `given` means that the module is the user's: it stands on its own devices and must be left as it was. Otherwise
    it was built here and stands on meta (on the CPU where it cannot be moved). `rebuild` builds another one, with
    real weights, on the CPU (None where given).
    """

    name: str
    module: nn.Module
    sites: Mapping[str, Site]
    rebuild: Callable[[], nn.Module] | None
    given: bool
    notes: tuple[str, ...] = ()


def load(
    target: object,
    *,
    init_kwargs: Mapping[str, object] | None = None,
    build: str | None = None,
    method: str | None = None,
) -> Loaded:
    """The module of a target: 'pkg.mod:Net', 'path/file.py:Net', a module, a subclass of nn.Module, or a factory.

    `build` is the call that builds it, as text, over the names of the target's module.
    The folders of the target are on sys.path only while this runs; hold `import_path(target)` around it where the
    model runs. Global state is as the import of the target's module leaves it: the model runs in that too. Raises
    TargetError with one line for whatever is wrong with the target, its module, its arguments or `method`.
    """
    if not isinstance(init_kwargs, Mapping | None):
        raise TargetError(f"init_kwargs is of type {type(init_kwargs).__name__}, but no dict of arguments")
    text = os.fspath(target) if isinstance(target, os.PathLike) else target
    recorder = SiteRecorder()
    with built_with(names_in(init_kwargs or {})), recorder, import_path(text), no_arguments():
        with restored_import_paths():
            found, notes = begin(lambda: resolve(text)) if isinstance(text, str) else (text, ())
        name = text.rpartition(":")[2] if isinstance(text, str) else _name(found)
        found = found if build is None else _call(found, name, build, init_kwargs)
        loaded = _loaded(found, name, init_kwargs, recorder)
    _check_scripted(loaded, name)
    _check_method(loaded.module, name, method)
    return replace(loaded, name=text, notes=(*notes, *loaded.notes)) if isinstance(text, str) else loaded


def _call(found: object, name: str, text: str, init_kwargs: object) -> Callable[[], object]:
    """What evaluates the call that builds a model; TargetError where it cannot be one."""
    if init_kwargs:
        raise TargetError(f"{name} is built by --build (build), so --kwargs (init_kwargs) cannot reach it")
    try:
        code = compile(text.strip(), "<build>", "eval", dont_inherit=True)
    except UNPARSED as error:
        reason = f"build {text!r} is no expression of Python ({described(error)})"
        raise TargetError(f"{reason}; write {name}(...)") from None
    module = sys.modules.get(module_of(found))
    names = {**(vars(module) if module is not None else {}), name.partition(".")[0]: found}
    return lambda: call_foreign(eval, code, names)


def _loaded(found: object, name: str, init_kwargs: Mapping[str, object] | None, recorder: SiteRecorder) -> Loaded:
    if isinstance(found, nn.Module):
        if init_kwargs:
            raise TargetError(f"{name} is a module that is built already, so --kwargs (init_kwargs) cannot reach it")
        return Loaded(name, _listed(found, name), Sites(found, recorder), None, given=True)
    if isinstance(found, type) and not issubclass(found, nn.Module):
        if package := absent_base(found):
            raise TargetError(f"{name} derives from a class of {package}, which is not installed")
        raise TargetError(f"{name} is a class, but no subclass of torch.nn.Module")
    if not callable(found):
        kind = type(found).__name__
        subject = name if name != kind else "the target"
        raise TargetError(f"{subject} is of type {kind}, but no torch.nn.Module, subclass of it or factory")
    _check_arguments(found, name, init_kwargs or {})
    try:
        given = fitted(found, init_kwargs or {})
    except SpecError as error:
        raise TargetError(f"cannot build {name}: {error}") from None
    return _built(name, lambda: call_foreign(found, **_fresh(given)), recorder)


def _built(name: str, factory: Callable[[], object], recorder: SiteRecorder) -> Loaded:
    rebuild = functools.partial(_real, name, factory)
    reason = ""
    for devices in (WeightsOnMeta(real_indices=True), WeightsOnMeta(), _META):
        module = _attempt(factory, devices, recorder)
        if isinstance(module, nn.Module):
            return Loaded(name, module, Sites(module, recorder), rebuild, given=False)
        reason = module or reason
    start = recorder.count
    with restored_state():
        module = rebuild()
    if not recorder.made_all(module, start):
        return Loaded(name, module, Sites(module, recorder), None, given=True)
    notes = [f"{name} cannot be built on meta{reason}, so it was built on the CPU"]
    try:
        _move(module)
    except Exception as error:  # the module's own `to`
        let_out(error)
        notes.append(f"{name} cannot be moved to meta ({described(error)}), so its weights take memory")
    return Loaded(name, module, Sites(module, recorder), rebuild, given=False, notes=tuple(notes))


def _attempt(factory: Callable[[], object], devices: _Devices, recorder: SiteRecorder) -> nn.Module | str:
    """The module with its weights on meta; where it cannot be built so, or holds modules that it did not make, why."""
    start = recorder.count
    try:
        with restored_state(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with NamedDevices(), devices:
                module = begin(factory)
            if isinstance(module, nn.Module) and recorder.made_all(module, start):
                _move(module)
                return module
    except (Exception, SystemExit) as error:  # the user's code
        let_out(error)
        return f" ({described(error)})"
    return ""


def _real(name: str, factory: Callable[[], object]) -> nn.Module:
    """A module on the CPU; TargetError where the user's code raises or gives something else."""
    try:
        with restored_state(), NamedDevices(), torch.device("cpu"):
            module = begin(factory)
    except SystemExit as error:
        ended = f"building {name} ends the program ({described(error)}){place(error)}"
        raise TargetError(ended + building_advice(error)) from error
    except Exception as error:  # the user's code
        let_out(error)
        failure = f"cannot build {name}: {described(error)}{place(error)}"
        raise TargetError(failure + building_advice(error)) from error
    return _listed(module, name)


def _listed(module: object, name: str) -> nn.Module:
    """The module; TargetError for what is none, or whose parts cannot be listed, as torch does in `to` and `train`."""
    if not isinstance(module, nn.Module):
        raise TargetError(f"{name} returned an object of type {type(module).__name__}, but no torch.nn.Module")
    try:
        parts_of(module)
    except Exception as error:  # the module's own `modules`, and its hash
        let_out(error)
        raise TargetError(f"{name}: its parts cannot be listed: {described(error)}{place(error)}") from error
    return module


@foreseen
class _NotMovable(Exception):
    """A module that cannot be moved to meta."""


_Devices = torch.device | WeightsOnMeta


def _move(module: nn.Module) -> None:
    """Moves all to meta, plain tensor attributes too; what is small and no weight keeps its values on the CPU."""
    tensors = [*module.parameters(), *module.buffers()]
    if not all(tensor.is_meta for tensor in tensors):
        if any(map(is_lazy, tensors)):
            raise _NotMovable("a lazy parameter forgets that it is one when it is moved")
        small = [(part, name, each) for part in module.modules() for name, each in part._buffers.items()]
        small = [(part, name, each) for part, name, each in small if is_small_buffer(part, name, each)]
        call_foreign(module.to, _META)
        for part, name, tensor in small:
            part._buffers[name] = tensor
    for part in module.modules():
        for name, value in list(vars(part).items()):
            if type(value) not in _PLAIN and name not in _INNER:
                vars(part)[name] = _moved(value)


_PLAIN: Final = frozenset({bool, int, float, str, type(None)})
_INNER: Final = frozenset(vars(nn.Module()))


def _moved(value: object, depth: int = 3) -> object:
    if isinstance(value, torch.Tensor):
        return value if value.numel() <= LARGEST_ATTRIBUTE else call_foreign(value.to, _META)
    if isinstance(value, list | tuple) and type(value) in (list, tuple) and depth:
        items = [_moved(item, depth - 1) for item in value]
        return value if all(map(operator.is_, items, value)) else type(value)(items)
    if isinstance(value, dict) and type(value) is dict and depth:
        moved = {key: _moved(item, depth - 1) for key, item in value.items()}
        return value if all(moved[key] is value[key] for key in value) else moved
    return value


def _fresh(value: Any) -> Any:
    """New containers at every build, since a constructor may change what it is given."""
    if isinstance(value, AnnotatedObject):
        return value.made(_fresh(dict(value.fields)))
    if isinstance(value, Entries):
        return Entries({key: _fresh(item) for key, item in value.items()})
    if type(value) in (list, tuple):
        return type(value)(map(_fresh, value))
    return {key: _fresh(item) for key, item in value.items()} if type(value) is dict else value


def _check_arguments(found: Callable[..., object], name: str, init_kwargs: Mapping[str, object]) -> None:
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(**init_kwargs)
    except TypeError as error:
        mistake = _argument_mistake(signature, init_kwargs, error)
        raise TargetError(f"cannot build {name}: TypeError: {mistake}") from None


def _argument_mistake(signature: inspect.Signature, given: Mapping[str, object], error: TypeError) -> str:
    parameters = list(signature.parameters.values())
    if parameters and parameters[0].name == "self":
        return "it is a method of a class; name the class, and the method with --method (method in Python)"
    names = [each.name for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
    wrong = [name for name in given if name not in names]
    if wrong and not any(each.kind is each.VAR_KEYWORD for each in parameters):
        near = difflib.get_close_matches(wrong[0], names, 1)
        known = f", did you mean {near[0]!r}?" if near else f"; it takes {', '.join(names) or 'none'}"
        return f"unexpected argument {wrong[0]!r}{known}"
    missing = [each.name for each in parameters if each.name in names and each.default is each.empty]
    example = ", ".join(f'"{name}": ...' for name in missing if name not in given)
    return f"{error}; give it with --kwargs '{{{example}}}' (init_kwargs in Python) or write the call with --build"


def _check_scripted(loaded: Loaded, name: str) -> None:
    """A module that torch.jit compiled before the check has no Python code left to run."""
    compiled = [path for path, part in loaded.module.named_modules() if isinstance(part, torch.jit.ScriptModule)]
    if compiled and (loaded.given or not compiled[0]):
        what = f"`{compiled[0]}` of {name}" if compiled[0] else name
        raise TargetError(f"{what} is compiled by torch.jit; give what it was made from")


def _check_method(module: nn.Module, name: str, method: str | None) -> None:
    if method is None and getattr(module.forward, "__func__", None) is nn.Module.forward:
        raise TargetError(f"{name} has no forward; name the method that runs with --method (method in Python)")
    if method is not None and not callable(getattr(module, method, None)):
        own = [key for base in type(module).__mro__ if base is not nn.Module for key in vars(base)]
        near = difflib.get_close_matches(method, [key for key in own if not key.startswith("_")], 1)
        raise TargetError(f"{name} has no method {method!r}" + (f", did you mean {near[0]!r}?" if near else ""))


def _name(found: object) -> str:
    if isinstance(found, functools.partial):
        return _name(found.func)
    return str(getattr(found, "__name__", type(found).__name__))
