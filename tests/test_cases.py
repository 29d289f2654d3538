"""Every case of tests/cases: found, blamed on the right layer, repaired as expected, and silent on the right ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from torch import nn

import shapelint
from shapelint.report.report import Report
from tests.case_files import Case, all_cases, outcome
from tests.oracle import Shape, eager

CASES = {case.path.stem: case for case in all_cases()}
LARGEST = {1: 12000, 2: 260, 3: 40}
pytestmark = pytest.mark.filterwarnings("ignore")
_reports: dict[tuple[str, bool], Report] = {}


def _named(*verdicts: str) -> list[str]:
    return [stem for stem, case in CASES.items() if case.verdict in verdicts]


def _report(case: Case, *, fixed: bool = False) -> Report:
    key = (case.path.stem, fixed)
    if key not in _reports:
        inputs = case.fixed_inputs if fixed else case.inputs
        expect = "...," + ",".join(map(str, case.target)) if case.target else None
        net = case.fixed if fixed else case.net
        _reports[key] = shapelint.check(net, inputs[0] if len(inputs) == 1 else list(inputs), expect=expect)
    return _reports[key]


def _per_axis(net: nn.Module, assignments: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """The assignments as tuples, less those that the module already has."""
    wanted = {}
    for name, value in assignments.items():
        path, _, field = name.rpartition(".")
        present = tuple(getattr(net.get_submodule(path), field))
        values = (value,) * len(present) if isinstance(value, int) else tuple(value)
        if values != present:
            wanted[name] = values
    return wanted


def _sides(shape: Shape, wanted: Shape) -> Shape:
    return shape[:1] if len(shape) == 3 and shape[0] > 100 else shape[-len(wanted) :]


def _points(case: Case) -> Iterator[Shape]:
    """The spatial size of the case, made small enough to run for real, and up to 3 around it, one axis or all."""
    base = list(case.inputs[0][2:])
    while base and max(base) > LARGEST[len(base)]:
        base = [max(1, size // 2) for size in base]
    yield tuple(base)
    for offset in (-3, -2, -1, 1, 2, 3):
        yield tuple(max(1, size + offset) for size in base)
        if len(base) > 1:
            yield (*base[:-1], max(1, base[-1] + offset))


@pytest.mark.parametrize("stem", _named("ok"))
def test_right_models_get_silence(stem: str) -> None:
    report = _report(CASES[stem])
    assert report.ok, str(report)


@pytest.mark.parametrize("stem", _named("mismatch-output", "mismatch-skip", "raises"))
def test_wrong_models_are_found_and_blamed_on_the_right_layer(stem: str) -> None:
    case, report = CASES[stem], _report(CASES[stem])
    assert not report.ok, str(report)
    said = []
    for finding in report.findings:
        fix = finding.fix
        said += [finding.module or "", finding.message, *finding.notes, *((fix.title, *fix.assignments) if fix else ())]
    assert not case.where or any(place in text for place in case.where for text in said), (case.where, str(report))


@pytest.mark.parametrize("stem", [stem for stem, case in CASES.items() if case.assignments])
def test_the_expected_output_paddings_are_found(stem: str) -> None:
    case, found = CASES[stem], {}
    for finding in _report(case).findings:
        found.update(dict(finding.fix.assignments) if finding.fix else {})
    net = case.net()
    assert case.assignments is not None
    assert _per_axis(net, found) == _per_axis(net, case.assignments), str(_report(case))
    for name, values in _per_axis(net, found).items():
        path, _, field = name.rpartition(".")
        setattr(net.get_submodule(path), field, values)
    shapes, wanted = outcome(net, case.inputs), case.wanted(case.inputs)
    assert not isinstance(shapes, str)
    assert wanted is None or _sides(shapes[0], wanted) == wanted


@pytest.mark.parametrize("stem", [stem for stem, case in CASES.items() if case.fixed])
def test_fixed_models_get_silence(stem: str) -> None:
    report = _report(CASES[stem], fixed=True)
    assert report.ok, str(report)


@pytest.mark.parametrize("stem", [stem for stem, case in CASES.items() if len(case.inputs) == 1])
def test_contracts_agree_with_eager_around_the_case(stem: str) -> None:
    case, contract = CASES[stem], _report(CASES[stem]).contract
    if len(contract.symbols) != len(case.inputs[0]) - 2 or "sequence_first" in stem or "aurora" in stem:
        pytest.skip("the symbols are not the last axes")
    for sizes in _points(case):
        said = contract.outcome(**dict(zip(contract.symbols, sizes, strict=True)))
        seen = eager(case.net, (*case.inputs[0][:2], *sizes))
        if said.ok is None or (not said.ok and "MaxUnpool" in case.path.read_text()):
            continue
        assert said.ok == (not isinstance(seen, str)), (sizes, said, seen)
        assert not said.ok or tuple(map(tuple, said.outputs)) == seen, (sizes, said, seen)


@pytest.mark.parametrize("stem", CASES)
def test_eager_does_what_the_case_says(stem: str) -> None:
    case = CASES[stem]
    seen, observed = outcome(case.net(), case.inputs), case.expected["observed"]
    if isinstance(observed, str):
        assert isinstance(seen, str)
        assert observed in seen
    else:
        assert seen[0] == observed
    if case.fixed is not None:
        shapes, wanted = outcome(case.fixed(), case.fixed_inputs), case.wanted(case.fixed_inputs)
        assert not isinstance(shapes, str), shapes
        assert wanted is None or _sides(shapes[0], wanted) == wanted
