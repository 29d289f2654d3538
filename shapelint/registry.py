"""Finds the rules that are installed: every entry point of the group `shapelint.rules`, ours like anybody's."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import EntryPoint, entry_points

from shapelint.errors import RuleError
from shapelint.facts.finding import fits
from shapelint.rule import Rule
from shapelint.source.fault import call_foreign, let_out

GROUP = "shapelint.rules"


def load_rules() -> tuple[Rule, ...]:
    """All installed rules by code; RuleError where one cannot be loaded or two claim one code or name."""
    points = sorted(set(entry_points(group=GROUP)), key=lambda point: (point.name, point.value))
    claims = [claim for point in points for claim in _claims(point)]
    for attribute in ("code", "name"):
        _refuse_duplicates(attribute, claims)
    return tuple(sorted((rule for rule, _ in claims), key=lambda rule: rule.code))


def select_rules(
    select: Sequence[str] = (), ignore: Sequence[str] = (), rules: Sequence[Rule] | None = None
) -> tuple[Rule, ...]:
    """The rules that `select` names (all where it is empty) without those that `ignore` names.

    Each is a code (`SL101`), the start of one (`SL1`) or a name (`round-trip-size`); RuleError where none fits.
    """
    known = load_rules() if rules is None else tuple(rules)
    chosen = _codes(select, known) if select else {rule.code for rule in known}
    return tuple(rule for rule in known if rule.code in chosen - _codes(ignore, known))


def find_rule(word: str, rules: Sequence[Rule] | None = None) -> Rule:
    """The rule with that code or name; RuleError where there is none."""
    known = load_rules() if rules is None else rules
    for rule in known:
        if word.upper() == rule.code.upper() or word.lower() == rule.name:
            return rule
    raise _unknown(word, known)


def _claims(point: EntryPoint) -> Iterator[tuple[Rule, str]]:
    """The rules of an entry point (a rule, its class, or a list of them), each with where it comes from."""
    try:
        loaded = call_foreign(point.load)
    except Exception as error:  # the code of a plugin
        let_out(error)
        reason = f"{type(error).__name__}: {error}"
        raise RuleError(f"rule {point.name} ({point.value}) cannot be loaded: {reason}") from error
    several = isinstance(loaded, list | tuple)
    for item in loaded if several else (loaded,):
        rule = item() if isinstance(item, type) else item
        if not isinstance(rule, Rule):
            wanted = "code, name, valid, invalid and check"
            raise RuleError(f"rule {point.name} ({point.value}) is no rule: a rule has {wanted}")
        yield rule, f"{type(rule).__module__}:{type(rule).__qualname__}" if several else point.value


def _refuse_duplicates(attribute: str, claims: Iterable[tuple[Rule, str]]) -> None:
    seen: dict[str, str] = {}
    for rule, origin in claims:
        value = getattr(rule, attribute)
        if value in seen:
            raise RuleError(f"rule {attribute} {value} is claimed by both {seen[value]} and {origin}; uninstall one")
        seen[value] = origin


def _codes(words: Sequence[str], rules: Sequence[Rule]) -> set[str]:
    found: set[str] = set()
    for word in words:
        fitting = {rule.code for rule in rules if fits(word, rule.code, rule.name)}
        if not fitting:
            raise _unknown(word, rules)
        found |= fitting
    return found


def _unknown(word: str, rules: Sequence[Rule]) -> RuleError:
    words = {rule.code.lower(): rule.code for rule in rules} | {rule.name: rule.name for rule in rules}
    near = difflib.get_close_matches(word.lower(), words, 1)
    hint = f"did you mean `{words[near[0]]}`?" if near else "`shapelint rules` lists them"
    return RuleError(f"there is no rule `{word}`; {hint}")
