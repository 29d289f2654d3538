"""Each way in which Python takes a size as a plain number: exact, or the proof is gone.

Every function does something else at one size only, 37, which no replay meets: the guard alone can find it.
"""

from __future__ import annotations

import functools
import itertools
import json
import logging
import math
import operator
import random
from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import shapelint
from shapelint.facts.contract import How

MARKED = [0] * 37 + [1] + [0] * 26
KEYED = {37: 1}
FORMAT = "%d"
LIMIT = 37.0
NUMBER = 37


def halved(scale: float, height: int) -> bool:
    scale *= height
    return scale == 18.5


def counted(height: int) -> int:
    count = 0
    for _ in range(height):
        count += 1
    return count


def stored(height: int) -> bool:
    marks = [0] * 64
    marks[height % 64] = 1
    return marks[37] == 1


def inserted(height: int) -> bool:
    marks = list(MARKED)
    return marks.pop(height % 64) == 1


def nested(height: int) -> int:
    """36 less, in more steps than any stack is deep, and never below 0."""
    rest = max(height - 36, 0)
    for _ in range(400):
        rest = max(min(rest, height) - 1, 0) + (rest > 0)
    return rest


def aliased(height: int) -> bool:
    length = range
    return len(length(height)) == 37


def imported_here(height: int) -> bool:
    from math import log

    return abs(log(height) - log(37)) < 1e-9


class Helper:
    half = 0.5

    def __call__(self, height: int) -> bool:
        return self.half * height == 18.5


HELPER = Helper()

LOST: dict[str, Callable[[int], Any]] = {
    "whether it is the very number": lambda h: h is NUMBER,
    "whether it is not the very number": lambda h: not (h is not NUMBER),
    "operator.is_": lambda h: operator.is_(h, NUMBER),
    "an id": lambda h: id(h) == id(NUMBER),
    "h.__index__()": lambda h: h.__index__() == 37,
    "a table of floats": lambda h: bool((torch.tensor([37.0, 8.0]) / h)[0] == 1),
    "a table of truth values": lambda h: bool((torch.tensor([True, False]) * h)[0] == 37),
    "an array // h": lambda h: (np.array([74, 8]) // h)[0] == 2 and (np.array([37, 8]) % h)[0] == 0,
    "a float of numpy's // h": lambda h: np.float64(74.0) // h == 2 and np.float64(37.0) % h == 0,
    "a number nested in itself": lambda h: nested(h) == 1,
    "the index of a list": lambda h: MARKED[h % 64],
    "the index of a text": lambda h: "".join(map(str, MARKED))[h % 64] == "1",
    "the slice of a list": lambda h: sum(MARKED[h % 64 : h % 64 + 1]),
    "the index of an array": lambda h: np.array(MARKED)[h % 64],
    "operator.getitem": lambda h: operator.getitem(MARKED, h % 64),
    "operator.itemgetter": lambda h: operator.itemgetter(h % 64)(MARKED),
    "list.__getitem__": lambda h: MARKED.__getitem__(h % 64),
    "a list written to": stored,
    "list.pop": inserted,
    "islice": lambda h: len(list(itertools.islice(MARKED, h % 64))) == 37,
    "a key of a dict": lambda h: KEYED.get(h, 0),
    "a key of a defaultdict": lambda h: defaultdict(int, KEYED)[h],
    "a member of a set": lambda h: h in {37, 900},
    "'%d' %": lambda h: "%d" % h == "37",  # noqa: UP031
    "a format in a name": lambda h: FORMAT % h == "37",
    "an f-string": lambda h: f"{h:03d}" == "037",
    "str.format": lambda h: "{:d}".format(h) == "37",  # noqa: UP032
    "str": lambda h: str((h,)) == "(37,)",
    "a text of a quotient": lambda h: "%.1f" % (h / 2) == "18.5",
    "hex": lambda h: hex(h) == "0x25",
    "json": lambda h: json.dumps([h]) == "[37]",
    "torch.Size": lambda h: str(torch.Size([h])) == "torch.Size([37])",
    "math.log2": lambda h: abs(math.log2(h) - math.log2(37)) < 1e-9,
    "math.isqrt": lambda h: math.isqrt(h * h) == 37,
    "an import in a function": imported_here,
    "a float on the left": lambda h: LIMIT == h,  # noqa: SIM300
    "a float in a chain": lambda h: LIMIT - 0.5 < h < 37.5,
    "a float that is multiplied in place": lambda h: halved(0.5, h),
    "a float that is computed": lambda h: math.sqrt(0.25) * h == 18.5,
    "a float that is divided": lambda h: (LIMIT + LIMIT) / h == 2.0,
    "an int that is divided": lambda h: 74 / h == 2.0,
    "sum with a float": lambda h: sum([0.5, h]) == 37.5,
    "an object that is called": lambda h: HELPER(h),
    "range": lambda h: counted(h) == 37,
    "range in a name": aliased,
    "a list repeated": lambda h: len([0] * h) == 37,
    "a text that is filled": lambda h: len("a".ljust(h)) == 37,
    "np.zeros": lambda h: np.zeros(h).shape[0] == 37,
    "np.array": lambda h: np.array((3, h))[1] == 37,
    "np.random": lambda h: np.random.RandomState(0).rand(h).shape[0] == 37,
    "np.ndindex": lambda h: len(list(np.ndindex(h, 2))) == 74,
    "Fraction": lambda h: Fraction(h, 2) == Fraction(37, 2),
    "a text of an operator": lambda h: int(operator.mod("%d", h)) == 37,
    "bit_count": lambda h: h.bit_count() == 3 and h == 37,
    "torch.tensor": lambda h: torch.equal(torch.tensor([h]), torch.tensor([37])),
    "an index by a tensor": lambda h: torch.tensor(MARKED)[h % 64].item(),
}


@pytest.mark.parametrize("name", LOST)
def test_a_size_that_python_takes_is_followed_or_the_proof_is_gone(name: str) -> None:
    class Net(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x[:, 1:] if LOST[name](x.shape[1]) else x

    found = shapelint.check(Net, "1,H").contract
    for height, width in ((36, 36), (37, 36), (38, 38)):
        outcome = found.outcome(H=height)
        assert outcome.outputs == ((1, width),)


def test_a_method_that_only_torch_calls_is_followed() -> None:
    class Conv(nn.Conv2d):
        def _conv_forward(self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
            return super()._conv_forward(x[..., 1:] if 0.5 * x.shape[2] == 18.5 else x, weight, bias)

    found = shapelint.check(lambda: Conv(3, 4, 1), "1,3,H,W").contract
    assert found.proved
    assert [found.outcome(H=height, W=9).outputs[0][3] for height in (36, 37, 38)] == [9, 8, 9]


def test_a_text_that_is_only_told_leaves_the_proof() -> None:
    class Net(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            logging.getLogger("net").debug(f"height {x.shape[2]}")  # noqa: G004
            assert x.shape[2] % 2 == 0, f"odd height {x.shape[2]} of {tuple(x.shape)}"
            if x.shape[3] % 2:
                sizes = ", ".join(f"{size}" for size in x.shape)
                message = "odd width in " + sizes
                raise ValueError(message)
            return x

    found = shapelint.check(Net, "1,3,H,W").contract
    assert found.proved
    assert str(found.runs) == "H and W even"


DRAWN: dict[str, Callable[[], Any]] = {
    "`random.random`": lambda: random.random() < 0.5,
    "`numpy.random.rand`": lambda: np.random.rand() < 0.5,
    "`torch.rand`": lambda: torch.rand(1).item() < 0.5,
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_random_number_is_named_and_proves_nothing(name: str) -> None:
    class Net(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x[..., 1:] if DRAWN[name]() else x

    found = shapelint.check(Net, "1,3,H,W").contract
    assert {region.how for region in found.regions} == {How.UNKNOWN}
    assert all(name in region.why for region in found.regions)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_is_scripted_in_a_check_is_followed_as_python() -> None:
    class Cropped(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if x.size(2) == 37:
                x = x[:, :, 1:]
            return x

    found = shapelint.check(lambda: nn.Sequential(torch.jit.script(Cropped()), nn.ReLU()), "1,3,H,W").contract
    assert found.proved
    assert found.outcome(H=37, W=5).outputs == ((1, 3, 36, 5),)


class Registry:
    """Names that are installed later, as sympy's: asked for one that it lacks, it writes itself into the error."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError("no '%s' in %s" % (name, self))  # noqa: UP031


def test_an_object_that_is_no_number_is_not_asked_for_a_size() -> None:
    class Net(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x[..., 1:] if hasattr(Registry(), "scale") else x[..., : x.shape[-1] // 2]

    found = shapelint.check(Net, "1,3,H,W").contract
    assert found.proved
    assert found.outcome(H=5, W=9).outputs == ((1, 3, 5, 4),)


class Log:
    """A logger that says each thing once, as that of transformers does."""

    @functools.lru_cache(None)  # noqa: B019
    def warning_once(self, text: str) -> None:
        logging.getLogger(__name__).debug(text)


logger = Log()


def test_a_text_that_is_logged_once_is_only_shown() -> None:
    class Net(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            missing = -x.shape[-1] % 8
            if missing > 0:
                logger.warning_once(f"{x.shape[-1]} is padded to {x.shape[-1] + missing}")
            return F.pad(x, (0, missing))

    assert shapelint.check(Net, "1,3,H,W").contract.proved


def test_the_sizes_of_another_method_are_kept_as_those_of_forward() -> None:
    class Coder(nn.Module):
        def encode(self, x: torch.Tensor) -> torch.Tensor:
            return x.new_zeros(len(x), 1 + int(0.5 * x.shape[2]))

    contract = shapelint.check(Coder(), "N,1,H,1", method="encode").contract
    assert contract.proved, [region.why for region in contract.regions]
    assert contract.outcome(N=7, H=37).outputs == ((7, 19),)
