"""SL207: a layer gets another number of channels than it was built for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import (
    Analysis,
    Diagnosis,
    Finding,
    Invalid,
    Kind,
    Misfit,
    Region,
    Severity,
    Valid,
)

from ._built_for import followers_note, misfit_fix, misfit_text, origin_text, place_of_number
from ._causes import batch_rank, is_left_apart, is_pinned, misfit_regions, raising, size_taken
from ._norms import norm_text
from ._slips import slip_fix, slip_message, slip_place
from ._words import brief, called, quoted, said_note

_UNET = """
import torch
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc1 = nn.Conv2d(3, 16, 3, padding=1)
        self.enc2 = nn.Conv2d(16, 32, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ConvTranspose2d(32, 32, 2, stride=2)
        self.dec = nn.Conv2d({}, 16, 3, padding=1){}

    def forward(self, x):
        skip = torch.relu(self.enc1(x))
        y = self.up(self.enc2(self.pool(skip)))
        return self.dec(torch.cat([skip, y], dim=1))
"""

_NORM = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(2 * width){}
        self.conv2 = nn.Conv2d(64, 64, 3, padding=1, groups=64)
        self.act = nn.PReLU(64)

    def forward(self, x):
        return self.act(self.conv2(self.bn1(self.conv1(x))))
"""

_CLASSIFIER = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 64, 3, padding=1)
        self.pool = nn.AdaptiveAvgPool2d((7, 7))
        self.fc1 = nn.Linear(512, 128){}
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = self.pool(self.conv(x)).flatten(1)
        return self.fc2(self.fc1(x))
"""

_UNFLATTENED = _CLASSIFIER.replace("512", "3136").replace(".flatten(1)", "").rstrip()

_ORDERED = """
import torch
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.mix = nn.Linear(8, 8)
        self.fuse = nn.Conv2d(16, 4, 1)

    def forward(self, x):
        x = self.conv(x)
        y = self.mix(x.permute({})){}
        return self.fuse(torch.cat([x, y.permute(0, 3, 1, 2)], {})){}
"""

_ROWS = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, stride=4, padding=1)
        self.fc = nn.Linear(4 * 8 * 8, 7)

    def forward(self, x):
        return self.fc(self.conv(x).view(-1, {})){}
"""

_PLAIN = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 12, 3, padding=1),
            {}
        )

    def forward(self, x):
        return self.layers(x)
"""

_MARK = "  # <-- SL207"
_VIEWS = ("reshape", "view", "flatten")


class ChannelMismatch:
    """A layer gets another number of channels or features than it was built for.

    ## What it does

    It names the first layer whose `in_channels` (`num_features`, `in_features`, ...) is not what arrives, where that
    comes from (which `cat`, with its parts), and what every later layer would get if this one were mended.

    ## Why it is bad

    The call raises, at every size. PyTorch names one layer at a time, by the shape of its weight, and not the join
    that made the channels.

    ## What PyTorch says

    In the first example below:

    ```text
    RuntimeError: Given groups=1, weight of size [16, 32, 3, 3], expected input[1, 48, 64, 64] to have 32
    channels, but got 48 channels instead
    ```

    ## Fix

    The number that arrives, in the layer's constructor: where all the numbers are literals, and the model with all of
    them runs, the edits are safe. Else advice, also where it is the input that brings another number. Or let the layer
    before give what this one was built for.

    ## See also

    SL304 where the number of features depends on the size of the input.
    """

    code: ClassVar[str] = "SL207"
    name: ClassVar[str] = "channel-mismatch"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_UNET.format(48, ""), "1,3,64,64"),
        Valid(_CLASSIFIER.replace("512", "64 * 7 * 7").format(""), "1,3,H,W"),
        Valid(_PLAIN.format("nn.GroupNorm(4, 12),"), "1,3,H,W"),
        Valid(_ORDERED.format("0, 2, 3, 1", "", 1, ""), "2,3,24,40"),
        Valid(_ROWS.format("4 * 8 * 8", ""), "2,3,32,32"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _UNET.format(32, _MARK),
            "1,3,64,64",
            "`dec` is built for 32 channels and gets 48: 16 from `enc1` + 32 from `up`",
        ),
        Invalid(_NORM.format(_MARK), "1,3,H,W", "`bn1` is built for 64 channels and gets 32 from `conv1`"),
        Invalid(
            _CLASSIFIER.format(_MARK), "1,3,H,W", "`fc1` is built for 512 features and gets 3136: 64x7x7 from `pool`"
        ),
        Invalid(
            _UNFLATTENED.format("") + _MARK,
            "1,3,H,W",
            "`fc1` is built for 3136 features and gets 7: the 64x7x7 before it is not flattened",
            fixed="self.fc1(x.flatten(1))",
        ),
        Invalid(
            _PLAIN.format("nn.GroupNorm(8, 32)," + _MARK),
            "1,3,H,W",
            "`layers.1` is built for 32 channels and gets 12 from `layers.0`",
        ),
        Invalid(
            _PLAIN.format("nn.PixelShuffle(2), nn.PixelShuffle(2)," + _MARK),
            "1,3,H,W",
            "`layers.2` gets 3 channels, no multiple of 4 from `layers.1`",
        ),
        Invalid(
            _ORDERED.format("0, 2, 1, 3", _MARK, 1, ""),
            "2,3,24,40",
            "`mix` is built for 8 features and gets 40: `permute` puts them on another axis",
            fixed="permute(0, 2, 3, 1)",
        ),
        Invalid(
            _ORDERED.format("0, 2, 3, 1", "", 2, _MARK),
            "2,3,24,40",
            "`fuse` is built for 16 channels and gets 8: `cat` joins along axis 2",
        ),
        Invalid(
            _ROWS.format(128, _MARK),
            "2,3,32,32",
            "`fc` is built for 256 features and gets 128: `view` makes 4 samples of 2",
            fixed="view(-1, 256)",
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields the one finding about the first such layer, with the later ones in its notes."""
        found = raising(analysis, Kind.CHANNELS, Kind.MULTIPLE)
        pinned = found is not None and is_pinned(analysis, found[2]) and not is_left_apart(found[0])
        if found is not None and found[0].misfits and not pinned:
            yield self._error(analysis, found[0]) if found[0].slip is None else self._slipped(analysis, found[0])
        if analysis.diagnosis is None and not analysis.certain:
            for region in misfit_regions(analysis):
                yield self._note(region)

    def _error(self, analysis: Analysis, diagnosis: Diagnosis) -> Finding:
        misfit = diagnosis.misfits[0]
        message, origin = _message(misfit)
        norm = norm_text(diagnosis, misfit)
        notes = (origin, *_notes(diagnosis, misfit)) if norm is None else ()
        return Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR,
            message=message if norm is None else norm[0],
            notes=tuple(note for note in (*notes, said_note(analysis)) if note),
            module=misfit.node.module or None,
            location=place_of_number(misfit),
            fix=misfit_fix(diagnosis, misfit) if norm is None else norm[1],
        )

    def _slipped(self, analysis: Analysis, diagnosis: Diagnosis) -> Finding:
        """The call that hands the layer the wrong axis: the layer itself is built for what one sample has."""
        misfit, slip = diagnosis.misfits[0], diagnosis.slip
        assert slip is not None, "check() has looked"
        message, note = slip_message(slip, misfit)
        return Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR,
            message=message,
            notes=tuple(each for each in (note, said_note(analysis)) if each),
            module=slip.node.module or None,
            location=slip_place(slip),
            fix=slip_fix(slip, misfit),
        )

    def _note(self, region: Region) -> Finding:
        outcome = region.outcome
        assert outcome.failure is not None, "misfit_regions() has looked"
        text = outcome.failure.text.replace("{left}", str(outcome.failure.left))
        return Finding(
            code=self.code,
            name=self.name,
            severity=Severity.NOTE,
            message=f"{quoted(outcome.module or 'forward')} gets other channels than it was built for at some sizes",
            notes=(text.replace("{right}", str(outcome.failure.right)), f"for: {brief(region.sizes)}"),
            module=outcome.module or None,
            location=outcome.place,
        )


def _message(misfit: Misfit) -> tuple[str, str | None]:
    """The message, and the origin as a note where it does not fit in."""
    text = misfit_text(misfit)
    if misfit.failure.kind is Kind.MULTIPLE:
        text = f"{called(misfit.node)} gets {misfit.given} channels, no multiple of {misfit.built_for}"
    origin = origin_text(misfit.joint, misfit.origins)
    whole = f"{text}{' ' if origin.startswith('from') else ': '}{origin}" if origin else text
    return (whole, None) if len(whole) <= 100 else (text, f"what arrives: {origin}")


def _notes(diagnosis: Diagnosis, misfit: Misfit) -> Iterator[str | None]:
    yield followers_note(diagnosis)
    shape = size_taken(diagnosis, misfit.node)
    single = misfit.origins[0].source if len(misfit.origins) == 1 else None
    if single == "" and len(shape) > 2 and shape[-1] == misfit.built_for:
        order = (0, len(shape) - 1, *range(1, len(shape) - 1))
        yield f"the last axis has {misfit.built_for}: where the input is channels-last, `x.permute{order}` comes first"
    elif single == "" and len(shape) == batch_rank(misfit.node) - 1 and misfit.built_for == 1:
        yield "the input has no axis of channels: `x.unsqueeze(1)` gives each sample one"
    elif single and single not in _VIEWS and misfit.built_for and len(misfit.origins[0].size) == 1:
        yield f"or let {quoted(single)} give {misfit.built_for}"
