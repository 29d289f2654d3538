"""What the rules say about an analysis, and what of that a comment silences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from shapelint.errors import RuleError
from shapelint.facts.analysis import Analysis
from shapelint.facts.finding import Finding, Severity, fits
from shapelint.load import Loaded
from shapelint.load.failure import described, place
from shapelint.registry import load_rules
from shapelint.rule import Rule, is_about_exports, is_last
from shapelint.size.isl_form import SolverError, limited
from shapelint.source.fault import call_foreign, let_out
from shapelint.suppression.ignores import split, unused_ignores

_STEPS = 5_000_000  # of the solver for one rule


def said_by(
    rules: Sequence[Rule], analysis: Analysis, loaded: Loaded
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """What the rules say, and what of that a comment silences.

    The rules that come last see what all others say, those too that the user has deselected: what these explain needs
    no last word.
    """
    last = [rule for rule in rules if is_last(rule)]
    kept, silenced = split(finding for rule in rules if rule not in last for finding in _said(rule, analysis))
    deselected = [rule for rule in installed_rules() if last and rule not in rules and not is_last(rule)]
    unsaid = [finding for rule in deselected for finding in _said_quietly(rule, analysis)]

    def judged(word: str | None) -> bool:
        meant = [rule for rule in installed_rules() if word is None or fits(word, rule.code, rule.name)]
        exported = word is not None and any(map(is_about_exports, meant))
        return all(rule in rules for rule in meant) and not (exported and not analysis.providers)

    places = [place for node in analysis.graph.nodes for place in (node.place, node.built) if place is not None]
    for rule in last:
        unused = unused_ignores(loaded.module, places, silenced, judged)
        more, hidden = split(_said(rule, replace(analysis, unused=unused, found=(*kept, *silenced, *unsaid))))
        kept, silenced = [*kept, *more], [*silenced, *hidden]
    return tuple(kept), tuple(silenced)


def _said(rule: Rule, analysis: Analysis) -> list[Finding]:
    """What a rule finds, as far as it comes in so many steps; RuleError where a rule of another package raises."""
    found: list[Finding] = []
    try:
        with limited(_STEPS):
            call_foreign(found.extend, call_foreign(rule.check, analysis))
    except SolverError:
        unsaid = "what it says is not known: its sets of sizes have too many pieces to compare"
        return [*found, Finding(rule.code, rule.name, Severity.NOTE, unsaid)]
    except Exception as error:  # the code of a plugin
        let_out(error)
        what = f"raised {described(error)}{place(error)}; this is a bug of the rule, not of your model"
        raise RuleError(f"the rule {rule.code} ({type(rule).__module__}) {what}") from error
    return found


def _said_quietly(rule: Rule, analysis: Analysis) -> list[Finding]:
    """What a rule that the user has deselected finds; nothing where it raises."""
    try:
        return _said(rule, analysis)
    except RuleError:
        return []


@lru_cache(maxsize=1)
def installed_rules() -> tuple[Rule, ...]:
    """The rules, looked up once in a process: asking the packages for their entry points takes a while."""
    return load_rules()
