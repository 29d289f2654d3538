"""Dicts and sets that are asked for sizes: each key that a size may be is remembered, and no other way loses one."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import shapelint
from tests.oracle import attempt, given

SIZES = [(1, 1), (2, 9), (16, 16), (5, 30), (7, 8), (24, 24), (20, 24), (40, 17), (64, 70), (12, 64)]
ROWS = {64: 3, 24: 2, 16: 1}


class Net(nn.Module):
    def __init__(self, function: Callable[[Any, Tensor], Any]) -> None:
        super().__init__()
        self.function = function
        self.masks: dict[Any, Any] = {}
        self.ordered: OrderedDict[Any, Any] = OrderedDict()
        self.rows = [0] * 100

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


def kept_by_size(net: Net, x: Tensor) -> Any:
    """As positions and window masks are kept: by a tuple of sizes, at two levels."""
    outs = []
    for y in (x, F.avg_pool2d(x, 2, ceil_mode=True)):
        key = tuple(y.shape[2:])
        if key not in net.masks:
            net.masks[key] = torch.zeros(*key)
        outs.append(y + net.masks[key])
    return tuple(outs)


def kept_by_shape(net: Net, x: Tensor) -> Tensor:
    if x.shape not in net.masks:
        net.masks[x.shape] = x.new_zeros(x.shape)
    return x + net.masks[x.shape]


def kept_by_get(net: Net, x: Tensor) -> Any:
    """Where H = W, the second is the first."""
    height, width = x.shape[2:]
    first = net.ordered.get(height)
    if first is None:
        first = net.ordered.setdefault(height, 1)
    second = net.ordered.get(width)
    return x[..., first:], x[..., 5 if second is None else second :]


def written_twice(net: Net, x: Tensor) -> Any:
    """Where H = W, both writings have one key."""
    net.masks[x.shape[2], 0] = 1
    net.masks[x.shape[3], 0] = 2
    return x[..., net.masks[x.shape[2], 0] :], x[..., len(net.masks) :]


def asked_of_a_table(net: Net, x: Tensor) -> Tensor:
    return x[..., ROWS.get(x.shape[-1], 0) :]


def asked_of_sets(net: Net, x: Tensor) -> Tensor:
    if x.shape[-1] in {16, 24} or (*x.shape[2:], *x.shape[2:]) in {(5, 30, 5, 30), (7, 8, 7, 8)}:
        return x[..., 1:]
    return x


def asked_for_a_number(net: Net, x: Tensor) -> Tensor:
    """A plain number may be the size that is a key."""
    net.masks[x.shape[-1]] = 3
    return x[..., net.masks.get(24, 0) :]


def taken_out(net: Net, x: Tensor) -> Tensor:
    net.masks[24] = 1
    net.masks[x.shape[-1]] = 2
    del net.masks[24]
    return x[..., len(net.masks) :]


def kept_by_text(net: Net, x: Tensor) -> Tensor:
    key = f"{x.shape[2]}x{x.shape[3]}"
    if key not in net.masks:
        net.masks[key] = torch.zeros(x.shape[2:])
    return x + net.masks[key]


def kept_by_the_text_of_a_shape(net: Net, x: Tensor) -> Tensor:
    if str(x.shape) not in net.masks:
        net.masks[str(x.shape)] = torch.zeros(x.shape[2:])
    return x + net.masks[str(x.shape)]


def texts_of_equal_sizes(net: Net, x: Tensor) -> Any:
    first = "rows %d, %s" % (x.shape[2], "x")  # noqa: UP031 - as people write it
    second = "rows {}, {}".format(x.shape[3], "x")
    net.masks[first] = 1
    net.masks[second] = 2
    return x[..., net.masks["rows " + str(x.shape[2]) + ", x"] :], x[..., len(net.masks) :]


def plain_texts(net: Net, x: Tensor) -> Any:
    """No size is written with a zero in front."""
    table = {"16x16": 1, "24x24": 2, "020x024": 3, "any": 4}
    net.masks[f"width {x.shape[3]}"] = 5
    return x[..., table.get(f"{x.shape[2]}x{x.shape[3]}", 0) :], x[..., net.masks.get("width 24", 0) :]


def keys_of_other_kinds(net: Net, x: Tensor) -> Any:
    """24.0 is the key 24, whichever of the two comes first."""
    rows = x.shape[2]
    net.masks[rows, x.device, x.dtype] = 5
    net.ordered[rows] = 7
    found = {24.0: 2, None: 3, "24": 4, net: 5}.get(rows, 0), net.ordered.get(24.0, 0), 16.0 in net.ordered
    return x[..., sum(found) :], x[..., net.masks.get((x.shape[3], x.device, x.dtype), 0) :]


def fixed_keys(net: Net, x: Tensor) -> Any:
    """A number in the source is a key that a size may be."""
    rows, columns, texts = x.shape[2], x.shape[3], dict[str, int]()
    net.masks[rows] = 5
    net.ordered[rows - columns] = net.ordered[rows, columns] = 1
    texts[f"{rows}"] = 2
    net.masks[24] = texts["24"] = 3
    try:
        number: int = net.ordered[-4] + net.ordered[20, 24]
    except KeyError:
        number = 0
    return x[..., net.masks[rows] + len(net.masks) + texts[f"{rows}"] + len(texts) + number :]


PROVED = [
    keys_of_other_kinds,
    fixed_keys,
    kept_by_size,
    kept_by_shape,
    kept_by_get,
    written_twice,
    asked_of_a_table,
    asked_of_sets,
    asked_for_a_number,
    taken_out,
    kept_by_text,
    kept_by_the_text_of_a_shape,
    texts_of_equal_sizes,
    plain_texts,
]


@pytest.mark.parametrize("function", PROVED)
def test_what_is_kept_by_size_is_proved(function: Any) -> None:
    found = shapelint.check(lambda: Net(function), "1,3,H,W").contract
    assert found.proved
    for height, width in SIZES:
        outcome = found.outcome(H=height, W=width)
        eager = given(attempt(Net(function), torch.zeros(1, 3, height, width)))
        assert (outcome.outputs if outcome.ok else None) == eager


def joined_in_a_display(net: Net, x: Tensor) -> Tensor:
    net.masks[x.shape[-1]] = 1
    return x[..., {24: 5, **net.masks}[24] :]


def joined_by_an_operator(net: Net, x: Tensor) -> Tensor:
    net.masks[x.shape[-1]] = 1
    return x[..., ({24: 5} | net.masks)[24] :]


def joined_by_update(net: Net, x: Tensor) -> Tensor:
    net.masks[x.shape[-1]] = 1
    net.masks.update({24: 5})
    return x[..., len(net.masks) :]


def compared_as_a_whole(net: Net, x: Tensor) -> Tensor:
    net.masks[x.shape[-1]] = 1
    return x[..., 1:] if net.masks == {24: 1} else x


def put_into_a_set(net: Net, x: Tensor) -> Tensor:
    seen = {24}
    seen.add(x.shape[-1])
    return x[..., len(seen) :]


def counted(net: Net, x: Tensor) -> Tensor:
    return x[..., Counter(x.shape[2:])[24] :]


def added_in_place(net: Net, x: Tensor) -> Tensor:
    rows: defaultdict[int, int] = defaultdict(int)
    rows[24] += 1
    rows[x.shape[-1]] += 1
    return x[..., rows[24] :]


def set_in_a_list(net: Net, x: Tensor) -> Tensor:
    net.rows[x.shape[-1]] = 1
    return x[..., net.rows[24] :]


def text_without_a_boundary(net: Net, x: Tensor) -> Tensor:
    """11 and 1 are written as 1 and 11 are."""
    net.masks[f"{x.shape[2]}{x.shape[3]}"] = 1
    net.masks[f"{x.shape[3]}{x.shape[2]}"] = 2
    return x[..., len(net.masks) :]


def text_of_a_layer(net: Net, x: Tensor) -> Tensor:
    layers = nn.ModuleDict({"24": nn.MaxPool2d(2)})
    key = f"{x.shape[3]}"
    return layers[key](x) if key in layers else x


def text_that_is_read(net: Net, x: Tensor) -> Tensor:
    key = f"{x.shape[3]}"
    net.masks[key] = 1
    return x[..., 1:] if "".join(net.masks) == "24" else x


def text_that_names_an_attribute(net: Net, x: Tensor) -> Tensor:
    key = f"w{x.shape[3]}"
    net.masks[key] = 1
    for name in net.masks:
        setattr(net, name, 1)
    return x[..., 1:] if hasattr(net, "w24") else x


def joined_in_place(net: Net, x: Tensor) -> Tensor:
    net.masks[x.shape[-1]] = 1
    masks = {24: 5}
    masks |= net.masks
    return x[..., masks[24] :]


class Equal24:
    def __eq__(self, other: object) -> bool:
        return other == 24

    def __hash__(self) -> int:
        return hash(24)


def asked_of_a_class(net: Net, x: Tensor) -> Tensor:
    return x[..., {Equal24(): 1}.get(x.shape[-1], 0) :]


def asked_of_a_fraction(net: Net, x: Tensor) -> Tensor:
    return x[..., {(Fraction(24), 1): 1}.get((x.shape[-1], 1), 0) :]


def text_among_attributes(net: Net, x: Tensor) -> Tensor:
    net.__dict__[f"v{x.shape[3]}"] = 1
    return x[..., 1:] if hasattr(net, "v24") else x


def text_of_a_quotient(net: Net, x: Tensor) -> Tensor:
    return x[..., {"12.0": 1}.get(f"{x.shape[3] / 2}", 0) :]


LOST = [
    text_of_a_quotient,
    joined_in_place,
    asked_of_a_class,
    asked_of_a_fraction,
    text_among_attributes,
    joined_in_a_display,
    joined_by_an_operator,
    joined_by_update,
    compared_as_a_whole,
    put_into_a_set,
    counted,
    added_in_place,
    set_in_a_list,
    text_without_a_boundary,
    text_of_a_layer,
    text_that_is_read,
    text_that_names_an_attribute,
]


@pytest.mark.parametrize("function", LOST)
def test_what_python_compares_by_hash_alone_is_not_proved(function: Any) -> None:
    assert not shapelint.check(lambda: Net(function), "1,3,H,W").contract.proved
