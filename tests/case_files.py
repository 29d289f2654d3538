"""The cases of tests/cases as values: what each module there defines, and what eager PyTorch does with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from tests.drawn.load import load_path
from tests.oracle import Shape, run

FOLDER = Path(__file__).parent / "cases"


@dataclass(frozen=True, slots=True)
class Case:
    """One model that somebody got wrong, or right: see the README of the folder."""

    path: Path
    net: Callable[[], nn.Module]
    inputs: tuple[Shape, ...]
    fixed: Callable[[], nn.Module] | None
    fixed_inputs: tuple[Shape, ...]
    target: Shape | None
    has_target: bool
    expected: dict[str, Any]

    @property
    def verdict(self) -> str:
        return str(self.expected["verdict"])

    @property
    def where(self) -> list[str]:
        return [place for place in self.expected["where"] if not place.startswith("forward:")]

    @property
    def assignments(self) -> dict[str, Any] | None:
        """The expected fix where it consists of `output_padding` values alone, else None."""
        fix = self.expected["fix"]
        only = isinstance(fix, dict) and all(name.endswith(".output_padding") for name in fix)
        return dict(fix) if only else None

    def wanted(self, inputs: tuple[Shape, ...]) -> Shape | None:
        """The spatial size that the output should have; None where it only has to run."""
        if self.has_target:
            return self.target
        return inputs[0][:1] if self.path.stem == "c430_ok_sequence_first_speech" else inputs[0][2:]


def _shapes(value: Any) -> tuple[Shape, ...]:
    return (value,) if isinstance(value[0], int) else tuple(value)


def read_case(path: Path) -> Case:
    """The case in a file."""
    module = load_path(path)
    inputs = _shapes(module.INPUT)
    fixed_inputs = _shapes(getattr(module, "FIXED_INPUT", module.INPUT))
    return Case(path, module.Net, inputs, getattr(module, "Fixed", None), fixed_inputs,
                getattr(module, "TARGET", None), hasattr(module, "TARGET"), module.EXPECT)  # fmt: skip


def all_cases() -> list[Case]:
    """Every case, in the order of its number."""
    return [read_case(path) for path in sorted(FOLDER.glob("c*.py"))]


def outcome(net: nn.Module, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | str:
    """The output shapes of a real run, or the class and text of the error."""
    try:
        return run(net.eval(), *inputs)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
