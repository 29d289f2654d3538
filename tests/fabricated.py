"""Reports made by hand, so that their forms are tested without a model and without torch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shapelint.facts.contract import Contract, How, Region, RegionOutcome
from shapelint.facts.failure import Failure, Kind
from shapelint.facts.finding import Confirmation, Finding, Fix, Repair, Safety, Severity
from shapelint.facts.graph import Pair, TensorShape
from shapelint.facts.picture import DrawnChange, Mark, Picture, Role, Scene, Step
from shapelint.report.report import Report
from shapelint.size.expression import parse_function
from shapelint.size.sets import SizeSet
from shapelint.source.span import Edit, Span

MODEL = """\
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.deconv = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)

    def forward(self, x):
        return self.deconv(self.conv(x))
"""
SYMBOLS = ("H", "W")
PLACE = Span("mymodel.py", 8, 23, 8, 71)


class Words(SizeSet):
    """A set of sizes that prints as the words it is given."""

    __slots__ = ("words",)

    def __init__(self, words: str, base: SizeSet) -> None:
        super().__init__(base.symbols, base._set)
        self.words = words

    def _with(self, raw: Any, symbols: Any = None) -> Any:
        return SizeSet(self.symbols if symbols is None else symbols, raw)

    def __str__(self) -> str:
        return self.words


EVERY = Words("all sizes", SizeSet.universe(SYMBOLS))
ODD = Words("H and W odd", SizeSet.read(SYMBOLS, "{ [H, W] : H mod 2 = 1 and W mod 2 = 1 }"))
SMALL = Words("H < 3", SizeSet.read(SYMBOLS, "{ [H, W] : H < 3 }"))
NONE = Words("no size", SizeSet.empty(SYMBOLS))


def shape(*dims: int | str) -> TensorShape:
    return TensorShape(tuple(dim if isinstance(dim, int) else parse_function(dim) for dim in dims))


CONTRACT = Contract(
    SYMBOLS,
    EVERY,
    (Region(EVERY, RegionOutcome(True, (shape(1, 3, "2*((H + 1)//2) - 1", "2*((W + 1)//2) - 1"),))),),
    ODD,
    meant=True,
)
TOO_SMALL = Failure(Kind.KERNEL, "kernel 3 is larger than {left}", parse_function("H"))
RAISING = Contract(
    SYMBOLS,
    EVERY,
    (
        Region(EVERY, RegionOutcome(True, (shape(1, 8, "H - 2", "W - 2"),)), How.SAMPLED, "`fft2` has no rule"),
        Region(
            SMALL,
            RegionOutcome(False, (), TOO_SMALL, "conv", PLACE),
        ),
        Region(NONE, RegionOutcome(None), How.UNKNOWN, "it raises KeyError"),
    ),
    NONE,
)


def confirmation(size: int, output: int, *, repaired: bool = False) -> Confirmation:
    shapes = ((1, 3, output, output),)
    return Confirmation(
        "CPUExecutionProvider", "1.32.0", {"H": size, "W": size}, repaired, shapes, shapes, 2.4e-07, ok=True
    )


ROUND_TRIP = Finding(
    "SL101",
    "round-trip-size",
    Severity.ERROR,
    "`deconv` gives back 5x5 where `conv` took 6x6",
    ("5x5 and 6x6 both become 3x3 in `conv`",),
    "deconv",
    PLACE,
    Fix(
        "set `output_padding=1` in `deconv`: even sizes come back right, odd ones no longer do",
        Safety.SAFE,
        {"deconv.output_padding": (1, 1)},
        (Edit(Span("mymodel.py", 8, 70, 8, 70), ", output_padding=1"),),
        ("meta", "cpu"),
    ),
)
NOTE = Finding("SL202", "restricted-sizes", Severity.NOTE, "fits only for odd sizes")
FAILING = Report(
    "mymodel:Net",
    ("1,3,6,6",),
    Words("H = 6 and W = 6", SizeSet.point(SYMBOLS, {"H": 6, "W": 6})),
    CONTRACT,
    (ROUND_TRIP,),
    (Pair(("conv",), ("deconv",), (6, 6), (5, 5), (1, 1)),),
    (confirmation(6, 5), confirmation(6, 6, repaired=True)),
)
CLEAN = replace(
    FAILING,
    inputs=("1,3,5,5",),
    findings=(),
    pairs=(Pair(("conv",), ("deconv",), (5, 5), (5, 5), (0, 0)),),
    confirmations=(confirmation(5, 5),),
)
SEVERAL = replace(
    FAILING,
    inputs=("1,3,6,6", "t=1:int64"),
    findings=(ROUND_TRIP, replace(ROUND_TRIP, severity=Severity.WARNING, location=None, fix=None), NOTE),
    remarks=("not exported with dynamic sizes: the exporter refused `roll`",),
    contract=RAISING,
)


def step(name: str, size: int, formula: str, factor: float = 1.0, **given: Any) -> Step:
    operation = given.pop("operation", "conv2d")
    formulas = (formula, formula.replace("H", "W"))
    return Step(
        name=name,
        operation=operation,
        kind=given.pop("kind", ""),
        module=name,
        inputs=given.pop("inputs", ()),
        shape=(1, 3, size, size),
        size=(size, size),
        formula=formulas,
        factor=factor,
        fixed=False,
        spatial=operation not in ("input", "cat"),
        **{"place": None, "built": None, **given},
    )


IMAGE = step("input", 6, "H", operation="input")
CONV = step("conv", 3, "(H + 1)//2", 0.5, inputs=(0,), kind="Conv2d", parameters=(("stride", (2, 2)),))
DECONV = step("deconv", 5, "2*((H + 1)//2) - 1", 2.0, inputs=(1,), kind="ConvTranspose2d", built=PLACE)
MENDED = replace(DECONV, size=(6, 6), shape=(1, 3, 6, 6), formula=("2*((H + 1)//2)", "2*((W + 1)//2)"))
PAIR = Pair(("conv",), ("deconv",), (6, 6), (5, 5), (1, 1), (1,), (2,))
MARKS = (
    Mark(1, Role.DROPS, "leaves 1 row behind", rows=1),
    Mark(2, Role.MISSES, "gives back 5x5 where 6x6 went into `conv`", (6, 6)),
)
PICTURE = Picture(
    sizes={"H": 6, "W": 6},
    now=Scene((IMAGE, CONV, DECONV), 3, (2,), (PAIR,), MARKS),
    wanted=(6, 6),
    repaired=Scene((IMAGE, CONV, MENDED), 3, (2,), (replace(PAIR, size_out=(6, 6)),)),
    changes={"deconv": DrawnChange(Repair.PADDING, "output_padding=1")},
    runs=EVERY,
    restores=Words("H and W even", SizeSet.read(SYMBOLS, "{ [H, W] : H mod 2 = 0 and W mod 2 = 0 }")),
)
DRAWN = replace(FAILING, picture=PICTURE)
