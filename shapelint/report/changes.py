"""What became of the sizes of some models since a lock was written, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shapelint.facts.difference import Difference, Lost
from shapelint.report.lock import Lock
from shapelint.report.place import short_place
from shapelint.report.steps import FirstChange, SizeStep, first_change

_SETS = {
    "no_longer_run": "no longer runs for",
    "no_longer_restore": "no longer restores the size for",
    "resized": "gives another size for",
    "unknown": "ran, and is not known to run any more, for",
    "now_run": "now runs for",
    "now_restore": "now restores the size for",
}


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed for each model; `gone` are models of the lock that are no more, `new` are those that it lacks.

    `since` are the calls from which on sizes are other ones, where a size is one or is no longer restored.
    """

    differences: Mapping[str, Difference]
    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    since: Mapping[str, FirstChange] = field(default_factory=dict)

    @property
    def lost(self) -> bool:
        """Whether any size of any model was lost."""
        return bool(self.gone) or any(each.lost for each in self.differences.values())


def changes(now: Lock, before: Lock, *, whole: bool) -> Changes:
    """The changes between two states of a project; `whole` says that `now` has all its models.

    Raises SpecError where the symbols of a model have changed.
    """
    new, old = now.contracts, before.contracts
    both = [key for key in sorted(new) if key in old]
    gone = tuple(sorted(set(old) - set(new))) if whole else ()
    found = {key: new[key].difference(old[key]) for key in both}
    moved = [key for key, each in found.items() if each.resized or each.no_longer_restore]
    since = {key: first_change(now.steps.get(key, ()), before.steps.get(key, ())) for key in moved}
    told = {key: change for key, change in since.items() if change is not None}
    return Changes(found, gone, tuple(sorted(set(new) - set(old))), told)


def render(found: Changes) -> str:
    """The changes for a person."""
    return "".join(f"{line}\n" for line in _lines(found))


def render_json(found: Changes) -> str:
    """The changes for a program: sets in words."""
    models = {key: _data(each, found.since.get(key)) for key, each in found.differences.items()}
    data = {"version": 1, "lost": found.lost, "models": models, "gone": list(found.gone), "new": list(found.new)}
    return json.dumps(data, indent=2) + "\n"


def _lines(found: Changes) -> Iterator[str]:
    for key, each in found.differences.items():
        if each.lost or each.gained:
            yield key
            yield from _told(each, found.since.get(key))
    yield from (f"{key}\n  is in the lock, and is no more" for key in found.gone)
    yield from (f"{key}\n  is not in the lock: write it with `shapelint lock`" for key in found.new)
    changed = sum(each.lost for each in found.differences.values()) + len(found.gone)
    same = len(found.differences) - sum(each.lost for each in found.differences.values())
    yield f"{changed} model{'s' * (changed != 1)} lost sizes, {same} lost none"


def _told(found: Difference, since: FirstChange | None) -> Iterator[str]:
    for name, words in _SETS.items():
        sizes = getattr(found, name)
        if sizes:
            yield f"  {words}: {sizes}"
        if name == "no_longer_run":
            yield from (f"    {each.sizes}: {each.error or 'raises'} in {_at(each)}" for each in found.causes)
    if since is not None:
        yield f"  since {_at(since.step)}: {since}"


def _at(cause: Lost | SizeStep) -> str:
    return f"`{cause.module}`" + (f" ({short_place(cause.place)})" if cause.place else "")


def _data(found: Difference, since: FirstChange | None) -> dict[str, Any]:
    sets = {name: str(sizes) if (sizes := getattr(found, name)) else None for name in _SETS}
    causes = [{"sizes": str(each.sizes), "error": each.error, "at": _at(each)} for each in found.causes]
    step = None if since is None else {"at": _at(since.step), "gives": since.step.shapes, "gave": since.before or None}
    return {"lost": found.lost, **sets, "causes": causes, "since": step}
