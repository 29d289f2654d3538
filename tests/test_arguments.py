"""What a model is given and what it is: nested inputs, keywords, methods, factories, instances left as they were."""

from __future__ import annotations

from collections import namedtuple
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import shapelint
from shapelint.errors import TargetError

Tensor = torch.Tensor
Pair = namedtuple("Pair", "image mask")  # noqa: PYI024 - made as users make it


class Net(nn.Module):
    def __init__(self, width: int = 4, stride: int = 2) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, width, 3, stride, 1)
        self.cache: dict[Any, Any] = {"seen": [], "grids": {}}

    def encode(self, x: Tensor) -> Tensor:
        return self.down(x)  # type: ignore[no-any-return]

    def forward(self, x: Tensor, t: Any = None, *more: Tensor, mask: Tensor | None = None, scale: float = 1) -> Any:
        y = self.encode(x)
        if t is not None:
            t = torch.as_tensor(t, device=x.device)
            y = y + t.float().view(-1, 1, 1, 1)
        if mask is not None:
            y = y * F.interpolate(mask.float(), size=y.shape[2:])
        return {"out": y, "more": [None, *more], "size": x.shape}


def outputs(*arguments: Any, **options: Any) -> tuple[tuple[int, ...], ...]:
    found = shapelint.check(*arguments, **options).contract
    assert found.proved
    return found.outcome(**{name: 9 + index for index, name in enumerate(found.symbols)}).outputs


@pytest.mark.parametrize("time", [10, None, "1:int64"])
def test_timesteps_masks_and_keywords(time: Any) -> None:
    options = {"call_kwargs": {"mask": "1,1,H,W:bool", "scale": 0.5}}
    assert outputs(Net, ["1,3,H,W", time], **options) == ((1, 4, 5, 5),)


def test_more_positional_arguments_and_constructor_arguments() -> None:
    assert outputs(Net, ["1,3,H,W", None, "1,L"], init_kwargs={"stride": 3}) == ((1, 4, 3, 4), (1, 11))


def test_nested_inputs_of_every_kind() -> None:
    class Nested(nn.Module):
        def forward(self, batch: Any, pair: Any) -> Any:
            return torch.cat([batch["images"][0], pair.image], 1), pair.mask[:, : batch["k"]]

    given = [{"images": ["1,3,H,W"], "k": 2}, Pair("1,2,H,W", "1,N,4")]
    assert outputs(Nested, given) == ((1, 5, 9, 10), (1, 2, 4))


@pytest.mark.parametrize("target", [Net, lambda: Net(), partial(Net, stride=2), Net()])
def test_classes_factories_partials_and_instances(target: Any) -> None:
    assert outputs(target, "1,3,H,W", method="encode") == ((1, 4, 5, 5),)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_a_model_in_another_dtype(dtype: str) -> None:
    assert outputs(Net().to(getattr(torch, dtype)), f"1,3,H,W:{dtype}", method="encode") == ((1, 4, 5, 5),)


def test_batch_norm_in_training_refuses_one_value() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.BatchNorm2d(4))
    found = shapelint.check(net, "1,3,H,W", train=True).contract
    assert found.proved
    assert [found.outcome(H=2, W=size).ok for size in (2, 3)] == [False, True]


class Untidy(nn.Module):
    """Changes whatever a model can change when it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.part = nn.Linear(4, 4)
        self.register_buffer("seen", torch.zeros(1))
        self.grids: dict[Any, Any] = {}
        self.helper = type("Helper", (), {"last": None})()
        self.lazy = nn.LazyLinear(2)

    def forward(self, x: Tensor) -> Any:
        self.grids[tuple(x.shape)] = x
        self.helper.last = x
        _KEPT.append(x)
        self.part.requires_grad_(False)
        self.part.register_forward_hook(lambda part, given, result: result + 1)
        self.part.weight = nn.Parameter(torch.zeros(4, 4, device=x.device))
        self.extra = nn.Linear(4, 4, device=x.device)
        self.seen = self.seen + 1
        self.part.train(True)
        return self.lazy(self.extra(self.part(x)))


_KEPT: list[Any] = []


def test_an_instance_with_real_weights_is_left_as_it_was() -> None:
    net = Untidy().eval()
    net.helper.__class__.__module__ = __name__
    weight, lazy, hooks = net.part.weight, net.lazy.weight, dict(net.lazy._forward_pre_hooks)
    state = {name: id(value) for name, value in vars(net).items()}
    weight.grad = torch.ones(4, 4)
    shapelint.check(net, "H,4")
    assert {name: id(value) for name, value in vars(net).items()} == state
    assert net.part.weight is weight
    assert weight.requires_grad
    assert weight.grad is not None
    assert weight.device.type == "cpu"
    assert (net.grids, net.helper.last, _KEPT) == ({}, None, [])
    assert not net.part._forward_hooks
    assert not net.part.training
    assert isinstance(net.lazy, nn.LazyLinear)
    assert net.lazy.weight is lazy
    assert net.lazy._forward_pre_hooks == hooks
    assert net(torch.zeros(2, 4)).shape == (2, 2)


def test_a_lazy_layer_fits_every_size_on_its_first_call_and_one_after_it() -> None:
    net = nn.Sequential(nn.Flatten(), nn.LazyLinear(3))
    assert str(shapelint.check(net, "1,2,L").contract.runs) == "every size"
    net(torch.zeros(1, 2, 8))
    assert str(shapelint.check(net, "1,2,L").contract.runs) == "L only 8"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_compiled_module_is_analysed_as_what_it_was_made_from() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3))
    net.compile()
    call = net._compiled_call_impl
    assert outputs(net, "1,3,H,W") == ((1, 4, 7, 8),)
    assert net._compiled_call_impl is call


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_scripted_instance_is_refused_in_one_line() -> None:
    with pytest.raises(TargetError) as error:
        shapelint.check(torch.jit.script(nn.Sequential(nn.ReLU())), "1,3,H,W")
    wanted = "RecursiveScriptModule is compiled by torch.jit; give what it was made from, or set PYTORCH_JIT=0"
    assert str(error.value) == wanted
