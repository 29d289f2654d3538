"""Operations without a size rule: what the trials tell is right and never called proved."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

import shapelint
from shapelint.facts.contract import Contract, How
from shapelint.size.expression import parse_function
from shapelint.trace.fitting.fit import fitted
from shapelint.trace.fitting.trials import trials

Tensor = torch.Tensor


@pytest.fixture(scope="module")
def ops() -> Iterator[Any]:
    """Operators of the user's own, with the shapes that each of them gives on meta."""
    with torch.library._scoped_library("shapelint_tests", "DEF") as library:
        _define(library, "halve(Tensor x) -> Tensor", lambda x: x[..., ::2].clone())
        _define(library, "crop(Tensor x, int by) -> Tensor", lambda x, by: x.new_empty(*x.shape[:-1], x.shape[-1] - by))
        _define(library, "windows(Tensor x) -> Tensor", _windows)
        _define(library, "paired(Tensor x, Tensor y) -> Tensor", _paired)
        _define(library, "hashed(Tensor x) -> Tensor", lambda x: x.new_empty(x.shape[-1] ** 2 % 17 + 1))
        _define(library, "scale_(Tensor(a!) x) -> ()", _scale)
        _define(library, "steps(Tensor x) -> int", lambda x: x.shape[-1] // 3)
        library.define("numpy_only(Tensor x) -> Tensor")
        library.impl("numpy_only", lambda x: x.clone(), "CPU")
        yield torch.ops.shapelint_tests


def _define(library: Any, schema: str, function: Callable[..., Any]) -> None:
    library.define(schema)
    for key in ("CPU", "Meta"):
        library.impl(schema.split("(")[0], function, key)


def _scale(x: Tensor) -> None:
    x.mul_(2)


def _windows(x: Tensor) -> Tensor:
    if x.shape[-2] % 4:
        raise ValueError("the height must be a multiple of 4")
    if x.shape[-1] < 5:
        raise ValueError("the width must be at least 5")
    return x.new_empty((x.shape[-2] // 4) * (x.shape[-1] // 5), 4, 5)


def _paired(x: Tensor, y: Tensor) -> Tensor:
    if x.shape != y.shape:
        raise ValueError("two shapes")
    return x.new_empty(x.shape[-2] + y.shape[-1], 2)


def contract(forward: Callable[[Tensor], Any], spec: str = "1,3,H,W") -> Contract:
    """The contract, which answers from its regions alone."""

    class Net(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return forward(x)

    return replace(shapelint.check(Net(), spec).contract, ask=None)


def agrees(forward: Callable[[Tensor], Any]) -> Contract:
    """The contract, after a comparison with what the function itself does at many sizes."""
    found = contract(forward)
    for height in (1, 4, 5, 12, 40, 63, 200):
        for width in (1, 2, 4, 5, 12, 41, 63, 200):
            outcome = found.outcome(H=height, W=width)
            try:
                result = forward(torch.zeros(1, 3, height, width))
            except (ValueError, RuntimeError):
                assert outcome.ok is False, (height, width)
            else:
                assert outcome.outputs == (tuple(result.shape),), (height, width)
    return found


@pytest.mark.parametrize(("name", "call"), [
    ("halve", lambda ops, x: ops.halve(x)),
    ("halve", lambda ops, x: ops.halve(torch.nn.functional.pad(x, (0, 3)))),
    ("crop", lambda ops, x: ops.crop(x, x.shape[2] // 4 + 1)),
    ("windows", lambda ops, x: ops.windows(x)),
    ("paired", lambda ops, x: ops.paired(x, x.transpose(2, 3))),
    ("scale_", lambda ops, x: (ops.scale_(x), x)[1]),
    ("steps", lambda ops, x: x[..., : ops.steps(x)]),
])  # fmt: skip
def test_an_operator_of_the_users_own_is_fitted_and_not_proved(ops: Any, name: str, call: Any) -> None:
    found = agrees(lambda x: call(ops, x))
    assert {region.how for region in found.regions} == {How.SAMPLED}
    assert any(f"`{name}` has no size rule; it was tried at " in region.why for region in found.regions)


def test_an_error_tells_where_it_was_seen(ops: Any) -> None:
    error = contract(ops.windows).outcome(H=6, W=8).error
    assert error.startswith("windows: the height must be a multiple of 4 (seen at H=")


def test_what_fits_nothing_is_unknown(ops: Any) -> None:
    (region,) = contract(ops.hashed).regions
    why = "`hashed` has no size rule, and its sizes fit no formula"
    assert (region.how, region.outcome.ok, region.why) == (How.UNKNOWN, None, why)


def test_an_operator_with_a_kernel_for_the_cpu_alone_is_tried_on_it(ops: Any) -> None:
    (region,) = contract(ops.numpy_only).regions
    assert (region.how, region.outcome.ok) == (How.SAMPLED, True)


def test_an_operator_of_torch_itself_has_the_rule_of_its_function() -> None:
    found = agrees(lambda x: torch.ops.aten.avg_pool2d.default(x, [3, 2]))
    assert found.proved


def test_a_function_with_gradients_of_its_own_is_followed() -> None:
    class Half(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, x: Tensor, size: int) -> Tensor:
            context.save_for_backward(x)
            return x[..., : size // 2] * 2

    assert agrees(lambda x: Half.apply(x, x.shape[-1])).proved  # type: ignore[no-untyped-call]


def test_trials_leave_tensors_and_the_random_state_alone(ops: Any) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("seen", torch.ones(4))

        def forward(self, x: Tensor) -> Tensor:
            ops.scale_(self.seen)
            ops.scale_(x)
            return x

    net, state, python_state = Net(), torch.get_rng_state(), random.getstate()
    shapelint.check(net, "1,3,H,W")
    assert net.get_buffer("seen").tolist() == [1, 1, 1, 1]
    assert torch.equal(torch.get_rng_state(), state)
    assert random.getstate() == python_state


@pytest.mark.parametrize(("text", "known"), [
    ("3*H//7 + 2", ["H"]),
    ("(H + 31)//32", ["H"]),
    ("2*(H//2)", ["H"]),
    ("(H//8 + 1)//2", ["H//8"]),
    ("40 - H//2 + W", ["H", "W"]),
    ("(H//2)*(W//3)*5", ["H", "W"]),
    ("H*W + 7", ["H", "W"]),
    ("D*(H//2)*W", ["D", "H", "W"]),
    ("max(H - 20, 4)", ["H"]),
    ("min(H//2, 30)", ["H"]),
])  # fmt: skip
def test_a_formula_is_found_again(text: str, known: list[str]) -> None:
    wanted, candidates = parse_function(text), [parse_function(each) for each in known]
    tried = trials({"D": 9, "H": 41, "W": 30}, candidates, 72)
    found = fitted(candidates, [(trial, wanted.value(trial.sizes)) for trial in tried])
    assert found is not None
    for drawn in ({"D": d, "H": h, "W": w} for d in (1, 6) for h in range(1, 200) for w in (1, 2, 7, 50)):
        assert found.value(drawn) == wanted.value(drawn), (str(found), drawn)


@pytest.mark.parametrize("text", ["H*H - 3*H*W", "H*(H//3)*(W//2) + H"])
def test_a_formula_that_is_not_there_is_not_made_up(text: str) -> None:
    wanted, candidates = parse_function(text), [parse_function("H"), parse_function("W")]
    tried = trials({"H": 41, "W": 30}, candidates)
    assert fitted(candidates, [(trial, wanted.value(trial.sizes)) for trial in tried]) is None
