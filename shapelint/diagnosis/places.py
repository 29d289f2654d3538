"""Where layers are constructed, and which call gives one a number that helpers only hand on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shapelint.edit.origin import handing_calls
from shapelint.load import Loaded, Site
from shapelint.source.ownership import installed
from shapelint.source.span import CallSite, Span, span_of

_NUMBERS = ("in_channels", "in_features", "num_features", "normalized_shape", "num_parameters", "input_size")

_POSITIONS = {"kernel_size": 2, "stride": 3, "padding": 4}


class Places(dict[str, Span]):
    """Construction places, each found when it is first asked for."""

    def __init__(self, loaded: Loaded) -> None:
        super().__init__()
        self._sites: Mapping[str, Site] = loaded.sites

    def get(self, module: str, default: Any = None) -> Any:
        """The place of a module's construction; the default where none is known."""
        if module not in self:
            site = self._sites.get(module)
            if site is None:
                return default
            self[module] = site.span()
        return self[module]

    def giving(self, module: str, kind: str, sources: Sequence[str]) -> tuple[Span, Span] | None:
        """The call that gives a layer of a kind the number for which it is built, where helpers only hand that on, and
        the number in it.

        None where the layer's own call has it. A helper that also built one of the `sources`, the layers whose channels
        arrive, is where the two numbers are unlike.
        """
        site, found = self._sites.get(module), None
        arguments = (("num_channels", 1),) if kind == "GroupNorm" else tuple((name, 0) for name in _NUMBERS)
        for call, number in () if site is None else handing_calls(site.calls, arguments):
            inside = self._built_by(module, call)
            if installed(call.code.co_filename) or any(not inside or each.startswith(inside) for each in sources):
                break
            found = call.span(), span_of(call.span().file, number)
        return found

    def handing(self, module: str, parameter: str) -> Span | None:
        """The call that gives a convolution an argument which helpers only hand on; None where its own call has it."""
        site, position = self._sites.get(module), _POSITIONS.get(parameter)
        found = None
        for call, _ in () if site is None or position is None else handing_calls(site.calls, ((parameter, position),)):
            if installed(call.code.co_filename):
                break
            found = call.span()
        return found

    def _built_by(self, module: str, call: CallSite) -> str:
        """What the paths of all modules begin with that a call around a layer built together with it."""
        parts = module.split(".")
        paths = (".".join(parts[:number]) for number in range(len(parts) + 1))
        return next((path and f"{path}." for path in paths if call in self._calls(path)), f"{module}.")

    def _calls(self, path: str) -> tuple[CallSite, ...]:
        site = self._sites.get(path)
        return () if site is None else site.calls
