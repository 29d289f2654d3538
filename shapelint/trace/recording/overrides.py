"""The arguments that a repair gives to a layer, or to the call of a function in the place of one."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from shapelint.facts.diagnosis import called_line, called_on
from shapelint.instrument.frames import calling_place
from shapelint.size.function import Function
from shapelint.trace.recording.record import Overrides


def given_to(overrides: Overrides, layer: str, function: str) -> Mapping[str, tuple[Function, ...]]:
    """The arguments for the layer of a path; where none are given to that, for the call of a function that is made."""
    if layer in overrides or not function or not any(map(called_line, overrides)):
        return overrides.get(layer, {})
    place = calling_place(sys._getframe(1))
    return {} if place is None else overrides.get(called_on(function, place.span().line), {})
