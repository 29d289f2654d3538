"""SL601: a jaxtyping annotation that does not hold for all sizes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import Analysis, Edit, Finding, Fix, Invalid, Safety, Severity, Valid, WrongAnnotation, sized

_MODEL = """
import torch.nn as nn
from jaxtyping import Float
from torch import Tensor


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, {})
        self.up = nn.ConvTranspose2d(8, 3, {})

    def forward(self, x: Float[Tensor, "b 3 h w"]) -> {}
        return self.up(self.down(x))
"""
_SAME = ("2, stride=2", "2, stride=2")
_ODD = ("3, stride=2, padding=1", "3, stride=2, padding=1")

_BLOCKS = """
import torch
import torch.nn as nn
from jaxtyping import Float
from torch import Tensor


class Half(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(4, 4, 3, stride=2, padding=1)

    def forward(self, x: Float[Tensor, "b c n"]) -> {}
        return self.conv(x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = Half(), Half()

    def forward(self, x):
        return self.two(self.one(x)).mean(-1)
"""


class AnnotationSize:
    """A jaxtyping annotation that does not hold for all sizes at which the model runs.

    ## What it does

    Annotations such as `Float[Tensor, "b c h w"]` of the functions in the model's files are read as claims about all
    sizes, with names, numbers, `_`, `...`, `*batch`, `#b`, `*#batch` and expressions as jaxtyping has them: a name is
    one size in one call. They are read in `list`, `tuple`, `dict`, `Optional` and their like, in quotes, and by a name
    that stands for them (`Image = Float[Tensor, "b c h w"]`), also in another file; an item of a list is held to the
    names that are bound elsewhere, and binds none. jaxtyping need not be installed.

    What the arguments of the model's own `forward` say is what its caller keeps to; every other claim is proved, or
    refuted with a size at which it was seen to fail. What cannot be read, and what runs where no proof could be given,
    is not judged.

    It is an error where it fails at an asked size, and a note where it fails at others only; with symbols alone an
    error where it holds at no size, and else a warning.

    ## Why it is bad

    Who reads the annotation builds on it, and jaxtyping raises in production at the first size that it was not tried
    at: `h` is right for `2*((h+1)//2)-1` at every odd size.

    ## Fix

    The annotation that holds at every size, where there is one in its names; no code is changed. It is advice where
    another finding says how to mend the size itself.
    """

    code: ClassVar[str] = "SL601"
    name: ClassVar[str] = "annotation-size"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_MODEL.format(*_ODD, 'Float[Tensor, "b 3 2*((h-1)//2)+1 2*((w+1)//2)-1"]:'), "1,3,H,W"),
        Valid(_MODEL.format(*_SAME, 'Float[Tensor, "*other"]:'), "1,3,H,W"),
        Valid(_BLOCKS.format('Float[Tensor, "b c (n+1)//2"]:'), "1,4,L"),
        Valid(_BLOCKS.format('Float[Tensor, "b #c _"] | None:'), "1,4,L"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _MODEL.format(*_ODD, 'Float[Tensor, "b 3 h w"]:  # <-- SL601'),
            "1,3,H,W",
            "`forward` returns `2*((h+1)//2)-1`, annotated `h`",
            options={"ignore": ["SL1"]},
        ),
        Invalid(
            _BLOCKS.format('Float[Tensor, "b c n//2"]:  # <-- SL601'),
            "1,4,L",
            "`forward` returns `(n+1)//2`, annotated `n//2`",
            fixed='-> Float[Tensor, "b c (n+1)//2"]:',
        ),
        Invalid(
            _BLOCKS.format('Float[Tensor, "b n"]:  # <-- SL601'),
            "1,4,L",
            "`forward` returns 3 axes, annotated `b n`",
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields one finding for each annotation that fails."""
        for wrong in analysis.annotations:
            yield Finding(
                code=self.code,
                name=self.name,
                severity=_severity(wrong, analysis),
                message=_message(wrong),
                notes=tuple(_notes(wrong)),
                location=wrong.place,
                fix=_fix(wrong, alone=analysis.diagnosis is None and analysis.transform is None),
            )


def _severity(wrong: WrongAnnotation, analysis: Analysis) -> Severity:
    if analysis.certain:
        return Severity.ERROR if wrong.fails & analysis.asked else Severity.NOTE
    return Severity.WARNING if wrong.holds else Severity.ERROR


def _message(wrong: WrongAnnotation) -> str:
    what = f"takes as `{wrong.argument}`" if wrong.argument else "returns"
    if not wrong.axis:
        return f"`{wrong.function}` {what} {len(wrong.seen)} axes, annotated `{wrong.text}`"
    there = f"`{wrong.gives}`" if wrong.gives else sized(wrong.seen)
    return f"`{wrong.function}` {what} {there}, annotated `{wrong.axis}`"


def _notes(wrong: WrongAnnotation) -> Iterator[str]:
    yield f"at {_named(wrong)} the tensor is {sized(wrong.seen)}, annotated `{wrong.text}`"
    yield f"the annotation holds for: {wrong.holds}" if wrong.holds else "the annotation holds for no size"


def _named(wrong: WrongAnnotation) -> str:
    return ", ".join(f"{name}={size}" for name, size in wrong.at.items()) or "the given size"


def _fix(wrong: WrongAnnotation, *, alone: bool) -> Fix | None:
    """What to write; advice where the sizes themselves are to be mended, after which the annotation may hold."""
    if not wrong.better:
        return None
    title, content = f"annotate `{wrong.better}`, which holds at every size", wrong.place.content()
    if not alone or content[1:-1].strip() != wrong.text.strip() or content[0] != content[-1]:
        return Fix(title, Safety.ADVICE)
    return Fix(title, Safety.SAFE, edits=(Edit(wrong.place, content.replace(wrong.text.strip(), wrong.better)),))
