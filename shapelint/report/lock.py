"""The contracts of a project's models as a lock file: JSON, sorted, with a line that a person can review per region."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from shapelint.errors import SpecError
from shapelint.facts.contract import Contract
from shapelint.facts.result import CheckResult
from shapelint.report.fingerprint import portable_target
from shapelint.report.steps import SizeStep, steps_of

VERSION: Final = 1
FILE: Final = "shapelint.lock"
_KIND: Final = "shapelint lock"


@dataclass(frozen=True, slots=True)
class Lock:
    """The contracts of some models, by their targets and inputs, and the sizes on the way through each."""

    contracts: Mapping[str, Contract]
    steps: Mapping[str, Sequence[SizeStep]] = field(default_factory=dict)

    @classmethod
    def in_file(cls, file: str) -> Lock:
        """The lock in a file, which may be any. Raises SpecError for one without."""
        return cls.read(Path(file).read_text(encoding="utf-8", errors="replace"), file)

    @classmethod
    def read(cls, text: str, where: str) -> Lock:
        """The lock in the text of a file; `where` names it in errors. Raises SpecError for any other text."""
        try:
            data = json.loads(text)
            if data["kind"] != _KIND or data["version"] != VERSION:
                raise SpecError(f"{where} is no lock of this version; write one with `shapelint lock`")
            models = data["models"].items()
            steps = {key: [SizeStep(*step) for step in each.get("steps", [])] for key, each in models}
            return cls({key: Contract.from_json(json.dumps(each)) for key, each in models}, steps)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise SpecError(f"{where} is no lock; write one with `shapelint lock`") from error
        except SpecError as error:
            raise error if where in str(error) else SpecError(f"{where}: {error}") from error

    def renewed(self, reports: Iterable[CheckResult]) -> Lock:
        """The lock with the contracts of some reports in the place of what it had of these models."""
        reports = list(reports)
        contracts = {key_of(each): each.contract for each in reports}
        steps = {key_of(each): steps_of(each.calls) for each in reports}
        return Lock({**self.contracts, **contracts}, {**self.steps, **steps})

    def render(self) -> str:
        """The text of the file."""
        written = {key: _model(self.contracts[key], self.steps.get(key, ())) for key in sorted(self.contracts)}
        models = ",\n".join(f"  {json.dumps(key)}: {text}" for key, text in written.items())
        head = f' "kind": {json.dumps(_KIND)},\n "version": {VERSION},\n'
        return f'{{\n{head} "models": {{\n{models}\n }}\n}}\n'


def key_of(report: CheckResult) -> str:
    """The name of a model in a lock: its target and its inputs, the same on every machine."""
    target = portable_target(report.target)
    return f"{target} at {' and '.join(report.inputs)}" if report.inputs else target


def _model(contract: Contract, steps: Sequence[SizeStep]) -> str:
    """One contract, each entry, each region and each step on a line of its own."""
    data: dict[str, Any] = json.loads(contract.to_json())
    regions = sorted(data.pop("regions"), key=lambda region: (region["sizes"], region["set"]))
    lines = [f"   {json.dumps(name)}: {json.dumps(value)}" for name, value in data.items()]
    rows = ",\n".join(f"    {json.dumps(region)}" for region in regions)
    way = ",\n".join(f"    {json.dumps([each.module, each.function, each.shapes])}" for each in steps)
    parts = f'"regions": [\n{rows}\n   ],\n   "steps": [\n{way}\n   ]'
    return "{\n" + ",\n".join(lines) + f",\n   {parts}\n  }}"
