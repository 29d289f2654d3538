"""Modules of classes that are written in no usual way: they are checked, or it is said in a line why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import nn

import shapelint
from shapelint.errors import TargetError

WITHOUT_MODULE = """
class Scale:
    __slots__ = ("factor",)
    def __init__(self): self.factor = 2
    def __rmul__(self, size): return size

def init(self):
    nn.Module.__init__(self)
    self.down, self.up = nn.Conv2d(3, 3, 3, 2, 1), nn.ConvTranspose2d(3, 3, 3, 2, 1)
    self.scale, self.scales = Scale(), [Scale()]

def forward(self, x):
    return self.up(self.down(x))[:, :, : x.shape[2] * self.scale]

Net = type("Net", (nn.Module,), {"__init__": init, "forward": forward})
"""


def test_classes_made_in_a_namespace_without_a_name_are_checked() -> None:
    space: dict[str, type[nn.Module]] = {"nn": nn}  # type: ignore[dict-item]
    exec(WITHOUT_MODULE, space)
    with pytest.raises(AttributeError):
        assert space["Net"].__module__
    report = shapelint.check(space["Net"], "1,3,8,8")
    assert [each.message for each in report.findings][:1] == ["`up` gives back 7x7 where `down` took 8x8"]


class Held(nn.Module):
    """A layer that knows the model it is in, as a part of its own: torch's `train` never ends."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 3, 3, 2, 1)
        self.down.owner = self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(x)  # type: ignore[no-any-return]


class Frozen(Held):
    """Its own `train` gives nothing back."""

    def train(self, mode: bool = True) -> None:  # type: ignore[override]
        self.training = self.down.training = mode


@pytest.mark.parametrize("net", [Held, Frozen])
def test_the_mode_is_set_whatever_train_does(net: Callable[[], nn.Module]) -> None:
    assert shapelint.check(net, "1,3,8,8", confirm=["cpu"]).ok


@dataclass
class Compared(nn.Module):
    """A dataclass has no hash, which torch asks for wherever it goes through the parts of a module."""

    channels: int = 3

    def __post_init__(self) -> None:
        super().__init__()


def test_a_module_without_a_hash_is_refused_in_a_line() -> None:
    with pytest.raises(TargetError, match=r"^Compared: its parts cannot be listed: TypeError: unhashable type"):
        shapelint.check(Compared, "1,3,8,8")


class Texts(type):
    """A metaclass that says nothing of the attributes that it is asked for."""

    def __getattr__(cls, name: str) -> object:
        raise ValueError(name)


class Asked(nn.Conv2d, metaclass=Texts):
    """A layer of it."""

    def __init__(self) -> None:
        super().__init__(3, 3, 3)


def test_a_report_asks_nothing_of_the_class_of_the_model() -> None:
    assert "ok" in str(shapelint.check(Asked, "1,3,8,8"))


@pytest.mark.parametrize("size", ["3", None, 1.5])
def test_an_argument_that_no_layer_takes_is_the_mistake_of_who_gave_it(size: object) -> None:
    with pytest.raises(TargetError, match=r"^cannot build Conv2d: TypeError"):
        shapelint.check(nn.Conv2d, "1,3,8,8", init_kwargs={"in_channels": 3, "out_channels": 4, "kernel_size": size})


def test_a_call_that_is_nested_too_deep_is_no_expression() -> None:
    with pytest.raises(TargetError, match="is no expression of Python"):
        shapelint.check(nn.ReLU, "1,3,8,8", build="-" * 100_000 + "1")
