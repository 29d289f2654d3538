"""Runs the examples of a rule, which are its tests: for the rules here and for those of any plugin.

In a test file of a plugin whose rule is registered under the entry-point group `shapelint.rules`::

    @pytest.mark.parametrize(("rule", "example"), examples(MyRule()))
    def test_example(rule, example):
        run_example(rule, example)
"""

from __future__ import annotations

import importlib.util
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shapelint.edit.document import Document
from shapelint.facts.finding import Finding
from shapelint.report.report import Report
from shapelint.rule import Invalid, Rule, Valid

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet

Example = Valid | Invalid


def examples(rule: Rule) -> list[ParameterSet]:
    """A pytest parameter `(rule, example)` for each example, with an id such as `SL101-invalid-1`."""
    import pytest

    kinds: dict[str, tuple[Example, ...]] = {"valid": rule.valid, "invalid": rule.invalid}
    return [
        pytest.param(rule, example, id=f"{rule.code}-{kind}-{number}")
        for kind, group in kinds.items()
        for number, example in enumerate(group, 1)
    ]


def run_examples(rule: Rule) -> None:
    """Runs every example of the rule; AssertionError where one does not hold, or where there is none of a kind."""
    assert rule.valid, f"{rule.code} has no valid example"
    assert rule.invalid, f"{rule.code} has no invalid example"
    every: tuple[Example, ...] = (*rule.valid, *rule.invalid)
    for example in every:
        run_example(rule, example)


def run_example(rule: Rule, example: Example) -> None:
    """Checks the example's `Net` with this rule alone; AssertionError where the rule does not say what it should.

    On a Valid the rule is silent. On an Invalid it speaks once, with the exact message, at the line that ends in
    `# <-- CODE`; its fix assigns what the example says and writes its `fixed` text, and with that the rule is silent.
    """
    source = textwrap.dedent(example.source).strip("\n") + "\n"
    with tempfile.TemporaryDirectory(prefix="shapelint_example") as folder:
        file = Path(folder, f"example_{rule.code.lower()}.py")
        file.write_text(source, encoding="utf-8")
        findings = _findings(rule, _check(f"{file}:Net", rule, example))
        if isinstance(example, Valid):
            assert not findings, f"{rule.code} speaks about a valid example: {_messages(findings)}\n{source}"
        else:
            assert len(findings) == 1, f"{rule.code} speaks {len(findings)} times: {_messages(findings)}\n{source}"
            _compare(findings[0], rule, example, source)
            _run_repaired(file, rule, example)
            _run_fixed(file, findings[0], rule, example)


def _compare(finding: Finding, rule: Rule, example: Invalid, source: str) -> None:
    assert finding.message == example.message, f"{finding.message!r} instead of {example.message!r}\n{source}"
    assert len(finding.message) <= 100, f"{finding.message!r} is longer than 100 characters"
    marked = [number for number, line in enumerate(source.splitlines(), 1) if line.endswith(f"# <-- {rule.code}")]
    assert len(marked) == 1, f"{len(marked)} lines end in `# <-- {rule.code}`, there must be one\n{source}"
    line = finding.location.line if finding.location else None
    assert line == marked[0], f"{rule.code} points at line {line} instead of {marked[0]}\n{source}"
    assigned = dict(finding.fix.assignments) if finding.fix else {}
    assert assigned == example.assignments, f"the fix assigns {assigned} instead of {example.assignments}\n{source}"


def _run_fixed(file: Path, finding: Finding, rule: Rule, example: Invalid) -> None:
    edits = finding.fix.edits if finding.fix else ()
    fixed = Document.read(str(file)).edited(edits).text
    assert example.fixed in fixed, f"the fix of {rule.code} does not write {example.fixed!r}\n{fixed}"
    if edits:
        other = file.with_name("fixed.py")
        other.write_text(fixed, encoding="utf-8")
        findings = _findings(rule, _check(f"{other}:Net", rule, example))
        assert not findings, f"{rule.code} still speaks after its edits: {_messages(findings)}\n{fixed}"


def _run_repaired(file: Path, rule: Rule, example: Invalid) -> None:
    if not any(name.endswith(".output_padding") for name in example.assignments):
        return
    module = _built(file, example.options.get("init_kwargs") or {})
    for name, value in example.assignments.items():
        owner, _, attribute = name.rpartition(".")
        setattr(module.get_submodule(owner), attribute, value)
    options = {name: value for name, value in example.options.items() if name != "init_kwargs"}
    findings = _findings(rule, _check(module, rule, example, options))
    assert not findings, f"{rule.code} still speaks after its fix: {_messages(findings)}"


def _built(file: Path, arguments: dict[str, Any]) -> Any:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Net(**arguments)


def _check(target: Any, rule: Rule, example: Example, options: dict[str, Any] | None = None) -> Report:
    from shapelint.engine import check

    given = example.options if options is None else options
    return check(target, example.input, **{"select": (rule.code,), **given})


def _findings(rule: Rule, report: Report) -> list[Finding]:
    return [finding for finding in report.findings if finding.code == rule.code]


def _messages(findings: list[Finding]) -> list[str]:
    return [finding.message for finding in findings]
