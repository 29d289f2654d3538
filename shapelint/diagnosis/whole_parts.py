"""What is meant of a map whose size is no whole part, or multiple, of the input's, for the layers of one text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shapelint.diagnosis.case import Case
from shapelint.diagnosis.changed_intent import Meant, as_the_others
from shapelint.diagnosis.halved_paddings import halved_paddings
from shapelint.diagnosis.layer_groups import layer_groups
from shapelint.diagnosis.odd_layers import keeps_channels
from shapelint.diagnosis.odd_text import mirrored_changes, odd_step_changes, odd_text_changes
from shapelint.diagnosis.scale import goes_down_and_up
from shapelint.diagnosis.shown_run import ShownRun, given_along
from shapelint.diagnosis.single_change import first_that, restores_at
from shapelint.diagnosis.uneven_axes import uneven_axes_changes
from shapelint.facts.diagnosis import Change
from shapelint.facts.graph import ShapeGraph, size_at
from shapelint.trace.explore import Exploration


def meant_but_for_a_text(shown: ShownRun) -> Meant | None:
    """The whole part, or multiple, of the input's size that a map has where the layers of the one odd text are even."""
    if shown.question.asked is None or shown.place is None:
        return None
    groups = layer_groups(shown.explored, shown.graph, shown.built)
    first = shown.question.first
    returns = keeps_channels(shown.graph, shown.question)
    returns = returns and goes_down_and_up(shown.graph, shown.region.sizes, shown.question)
    changes = halved_paddings(groups) or odd_text_changes(shown.graph, groups, first, returns=returns)
    return _with_a_whole_part(shown, changes or odd_step_changes(shown.graph, groups, first))


def meant_but_for_a_mirrored_text(shown: ShownRun) -> Meant | None:
    """The same, where several layers that go the other way have the number."""
    if shown.question.asked is None or shown.place is None:
        return None
    groups = layer_groups(shown.explored, shown.graph, shown.built)
    return _with_a_whole_part(shown, mirrored_changes(shown.graph, groups, shown.question.first))


def text_at_fault(case: Case, graph: ShapeGraph, focus: Mapping[str, int]) -> Change | None:
    """The change of the one odd text with which a model that is meant to give its input's size back does so; none of
    transposed layers, which an `output_padding` may settle, but where half of their padding is missing.
    """
    if not case.intent.meant:
        return None
    groups = layer_groups(case.explored, graph, case.built)
    growing = {node.module for node, *_ in groups if "transpose" in node.operation}
    found = odd_text_changes(graph, groups, focus, returns=keeps_channels(graph, case.question))
    changes = [*halved_paddings(groups), *(each for each in found if each.module not in growing)]
    return first_that(case.explored, changes, lambda trial: restores_at(trial, case.question, case.expect, focus))


def meant_but_for_an_axis(shown: ShownRun) -> Meant | None:
    """The input's size, which an output has but for the axis for which one layer has another number."""
    question, place, first = shown.question, shown.place, shown.question.first
    if question.asked is None or place is None or first not in shown.region.sizes:
        return None
    given, taken = size_at(shown.dims(place), first), size_at(question.target, first)
    if given == taken or not any(one == two for one, two in zip(given, taken, strict=True)):
        return None
    if not goes_down_and_up(shown.graph, shown.region.sizes, question):
        return None
    groups = layer_groups(shown.explored, shown.graph, shown.built)
    changes = uneven_axes_changes(shown.graph, groups)
    change = first_that(shown.explored, changes, lambda trial: restores_at(trial, question, None, first))
    return None if change is None else as_the_others(shown, change, place)


def _with_a_whole_part(shown: ShownRun, changes: Sequence[Change]) -> Meant | None:
    """What is meant with the first change that makes the output's size a whole part, or multiple, of the input's."""
    question, place, first = shown.question, shown.place, shown.question.first
    if question.asked is None or place is None or first not in shown.region.sizes or not changes:
        return None
    given, taken = size_at(shown.dims(place), first), size_at(question.target, first)
    if given == taken or not given or min(given) < 1:
        return None

    def works(trial: Exploration) -> bool:
        made = given_along(trial, place, first)
        pairs = list(zip(made, taken, strict=False))
        return made not in ((), given) and min(made) > 0 and all(one % two == 0 or two % one == 0 for one, two in pairs)

    change = first_that(shown.explored, changes, works)
    return None if change is None else as_the_others(shown, change, place)
