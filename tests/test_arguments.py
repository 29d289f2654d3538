"""What a model is given and what it is: nested inputs, keywords, methods, factories, instances left as they were."""

from __future__ import annotations

from collections import namedtuple
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import shapelint
from shapelint.errors import ModelError, TargetError

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
    wanted = "RecursiveScriptModule is compiled by torch.jit; give what it was made from"
    assert str(error.value) == wanted


class Scripts(nn.Module):
    """Scripts what it is made of, and takes a part from a file of TorchScript."""

    def __init__(self, file: str = "") -> None:
        super().__init__()
        self.first = torch.jit.script(nn.Conv2d(3, 3, 3, 2, 1))
        self.second = torch.jit.load(file) if file else nn.Identity()

    def forward(self, x: torch.Tensor) -> Any:
        return self.second(self.first(x))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_is_scripted_in_a_check_is_followed_and_what_was_before_is_tried(tmp_path: Path) -> None:
    file = str(tmp_path / "part.pt")
    torch.jit.script(nn.MaxPool2d(2)).save(file)
    assert shapelint.check(Scripts, "1,3,H,W").contract.proved
    report = shapelint.check(Scripts, (1, 3, 8, 8), init_kwargs={"file": file})
    assert report.ok
    assert report.contract.outcome(H=8, W=8).outputs == ((1, 3, 2, 2),)
    assert not report.contract.proved
    assert isinstance(torch.jit.script(nn.ReLU()), torch.jit.ScriptModule)


def test_inputs_are_of_the_default_dtype_that_the_models_file_sets(tmp_path: Path) -> None:
    (tmp_path / "double.py").write_text(
        "import torch\ntorch.set_default_dtype(torch.float64)\nNet = lambda: torch.nn.Conv2d(3, 4, 3)\n"
    )
    report = shapelint.check(f"{tmp_path / 'double.py'}:Net", (1, 3, 8, 8))
    assert report.inputs == ("1,3,8,8:float64",)
    assert report.ok
    assert torch.get_default_dtype() is torch.float32


@pytest.mark.parametrize(("build", "spec", "wanted"), [
    (lambda: nn.Conv2d(3, 4, 3).double(), "1,3,8,8", "; with `1,3,8,8:float64` it runs"),
    (lambda: nn.Embedding(9, 4), "2,S", "; with `2,S:int64` it runs"),
])  # fmt: skip
def test_a_dtype_that_is_refused_is_told_with_what_to_write(build: Any, spec: str, wanted: str) -> None:
    with pytest.raises(ModelError) as error:
        shapelint.check(build, spec)
    assert str(error.value).endswith(wanted)


class Forgets(nn.Module):
    def forward(self, x: torch.Tensor) -> None:
        x.relu()


def test_a_model_that_gives_none_cannot_be_checked() -> None:
    with pytest.raises(ModelError, match=r"^Forgets gives None, and so no size to check: a `return` is missing in its"):
        shapelint.check(Forgets, "1,3,H,W")


def test_a_call_with_an_argument_that_check_does_not_have_is_the_callers_error() -> None:
    with pytest.raises(TypeError, match=r"^check\(\) got an unexpected keyword argument 'cache'"):
        shapelint.check(nn.ReLU(), "1,3,H,W", cache=False)  # type: ignore[call-arg]
