"""How a file with open sizes would differ from the model: what is known of that without an export, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shapelint.size.sets import SizeSet
from shapelint.source.span import Span


@dataclass(frozen=True, slots=True)
class Baked:
    """A comparison of sizes in the model's own code: a file keeps the way of the size that it is exported at.

    A file exported at `exported` is wrong at the size `at`: there PyTorch gives `wanted`, and the file `given`, or it
    raises `error`. At the sizes `same` the comparison comes out as at `exported`, at `other` it does not. A file that
    is exported at `right_from` is proved right at every size; None where there is none.
    """

    place: Span
    module: str
    exported: Mapping[str, int]
    at: Mapping[str, int]
    wanted: tuple[int, ...]
    given: tuple[int, ...] | None
    error: str
    same: SizeSet
    other: SizeSet
    right_from: Mapping[str, int] | None


@dataclass(frozen=True, slots=True)
class Stretched:
    """A transposed convolution whose `output_padding` follows the size, as with `output_size=` in its call.

    A file exported at `exported` keeps `kept`; at the sizes `wrong`, such as `at`, it should be `needed`.
    """

    module: str
    operation: str
    place: Span | None
    exported: Mapping[str, int]
    at: Mapping[str, int]
    kept: tuple[int, ...]
    needed: tuple[int, ...]
    stride: tuple[int, ...]
    wrong: SizeSet


@dataclass(frozen=True, slots=True)
class Rounding:
    """A resize by a factor whose product with a size is rounded down otherwise in float32 than in float64.

    It does so where the axis that is resized has one of the sizes `taken`; `at` is an input size at which it has the
    first of them, and `wrong` are those at which it has any.
    """

    module: str
    operation: str
    place: Span | None
    scale: float
    taken: tuple[int, ...]
    gives: int
    runtime_gives: int
    at: Mapping[str, int]
    wrong: SizeSet


@dataclass(frozen=True, slots=True)
class Portability:
    """All of that about one model.

    `open` tells that more than one size is asked about, so that a file with open sizes is at stake; it is exported at
    the size `exported`.
    """

    open: bool = False
    exported: Mapping[str, int] = field(default_factory=dict)
    baked: tuple[Baked, ...] = ()
    stretched: tuple[Stretched, ...] = ()
    roundings: tuple[Rounding, ...] = ()

    def foretells(self, sizes: Mapping[str, int], *, fixed: bool) -> bool:
        """Whether a file is known to be wrong at a size: one with open sizes, or one that is exported at that size."""
        found = [each.wrong for each in self.roundings]
        if not fixed:
            found += [each.wrong for each in self.stretched]
            found += [each.other for each in self.baked if each.exported == self.exported]
        return any(sizes in wrong for wrong in found)


NOTHING_KNOWN = Portability()
