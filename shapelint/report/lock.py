"""The contracts of a project's models as a lock file: JSON, sorted, with a line that a person can review per region."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shapelint.errors import SpecError
from shapelint.facts.contract import Contract
from shapelint.facts.result import CheckResult
from shapelint.report.fingerprint import portable_target

VERSION: Final = 1
FILE: Final = "shapelint.lock"
_KIND: Final = "shapelint lock"


@dataclass(frozen=True, slots=True)
class Lock:
    """The contracts of some models, by their targets and inputs."""

    contracts: Mapping[str, Contract]

    @classmethod
    def read(cls, text: str, where: str) -> Lock:
        """The lock in the text of a file; `where` names it in errors. Raises SpecError for any other text."""
        try:
            data = json.loads(text)
            if data["kind"] != _KIND or data["version"] != VERSION:
                raise SpecError(f"{where} is no lock of this version; write one with `shapelint lock`")
            return cls({key: Contract.from_json(json.dumps(each)) for key, each in data["models"].items()})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SpecError(f"{where} is no lock; write one with `shapelint lock`") from error
        except SpecError as error:
            raise error if where in str(error) else SpecError(f"{where}: {error}") from error

    def renewed(self, reports: Iterable[CheckResult]) -> Lock:
        """The lock with the contracts of some reports in the place of what it had of these models."""
        return Lock({**self.contracts, **{key_of(each): each.contract for each in reports}})

    def render(self) -> str:
        """The text of the file."""
        models = ",\n".join(f"  {json.dumps(key)}: {_model(self.contracts[key])}" for key in sorted(self.contracts))
        head = f' "kind": {json.dumps(_KIND)},\n "version": {VERSION},\n'
        return f'{{\n{head} "models": {{\n{models}\n }}\n}}\n'


def key_of(report: CheckResult) -> str:
    """The name of a model in a lock: its target and its inputs, the same on every machine."""
    target = portable_target(report.target)
    return f"{target} at {' and '.join(report.inputs)}" if report.inputs else target


def _model(contract: Contract) -> str:
    """One contract, each entry and each region on a line of its own."""
    data: dict[str, Any] = json.loads(contract.to_json())
    regions = sorted(data.pop("regions"), key=lambda region: (region["sizes"], region["set"]))
    lines = [f"   {json.dumps(name)}: {json.dumps(value)}" for name, value in data.items()]
    rows = ",\n".join(f"    {json.dumps(region)}" for region in regions)
    return "{\n" + ",\n".join(lines) + f',\n   "regions": [\n{rows}\n   ]\n  }}'
