"""What a report needs to draw the model: the calls of one run with their sizes, as it is and as it is repaired.

Plain numbers and texts, so that a report stays small, can be pickled, and is drawn without the model.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shapelint.facts.finding import Repair
from shapelint.facts.graph import Pair
from shapelint.source.span import Span

if TYPE_CHECKING:
    from shapelint.size.sets import SizeSet


class Role(enum.StrEnum):
    """What a call has to do with what is wrong."""

    DROPS = "drops"  # a down-sampling that leaves a remainder behind
    MISSES = "misses"  # an up-sampling that gives back another size than its mirror took
    RAISES = "raises"  # the call at which the run ends
    NAMED = "named"  # a finding is placed here for another reason


@dataclass(frozen=True, slots=True)
class Mark:
    """A call that has to do with what is wrong, and why in words.

    `wanted` is the size that it should give, `rows` how many rows it leaves behind.
    """

    step: int
    role: Role
    text: str
    wanted: tuple[int, ...] = ()
    rows: int = 0


@dataclass(frozen=True, slots=True)
class DrawnChange:
    """What a repair changes of a layer, in words: "output_padding=1", "built for 9", or the code that calls it."""

    repair: Repair
    text: str

    def said(self, name: str) -> str:
        """The change with the layer: an argument is in it, a layer is built for channels, code stands as it is."""
        if self.repair is Repair.CODE:
            return self.text
        return f"{name} {self.text}" if self.repair is Repair.CHANNELS else f"{self.text} in {name}"


@dataclass(frozen=True, slots=True)
class Step:
    """One call: what it is, and the size that it gives along the spatial axes, as numbers and as functions.

    `factor` is by what it multiplies the size, 1 where it only adds or takes away. `size` is empty where nothing is
    spatial any more, as after a flatten; `fixed` tells that it does not depend on the size of the input.
    """

    name: str
    operation: str
    kind: str
    module: str
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    size: tuple[int, ...]
    formula: tuple[str, ...]
    factor: float
    fixed: bool
    spatial: bool
    place: Span | None
    built: Span | None
    parameters: tuple[tuple[str, tuple[int, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """The calls of a run at one size; those from `reached` on were not run, because one before them raises."""

    steps: tuple[Step, ...]
    reached: int
    outputs: tuple[int, ...]
    pairs: tuple[Pair, ...] = ()
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """The model at the size `sizes`, and the same with the fix where there is one that was run.

    `wanted` is the size that the output is meant to have (empty: any), `changes` what the repair changes, by layer.
    `runs` and `restores` are those of the repaired model, where they are known.
    """

    sizes: Mapping[str, int]
    now: Scene
    wanted: tuple[int, ...] = ()
    output: int = 0
    repaired: Scene | None = None
    changes: Mapping[str, DrawnChange] = field(default_factory=dict)
    runs: SizeSet | None = None
    restores: SizeSet | None = None

    def changed(self, step: Step) -> str | None:
        """By which name `changes` has what a call is of; None where it is unchanged.

        A layer is changed for all of its calls, code for the call that it makes.
        """
        for name in (step.name, f"{step.name} in {step.module}", step.module):
            change = self.changes.get(name)
            other = step.name.startswith(f"{name}, call ") and not step.name.endswith(" call 1")
            if change is not None and not (change.repair is Repair.CODE and other):
                return name
        return None

    def said(self, name: str) -> str:
        """The change of a layer in words, with the layer."""
        return self.changes[name].said(name)
