"""Which classes are models, by reading alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from shapelint.evidence.models import ClassRole, model_classes
from shapelint.jobs.targets import TargetReader
from shapelint.request.options import CheckOptions

BLOCKS = """
from torch import nn


class Conv(nn.Module):
    def forward(self, x): ...


class Up(nn.Sequential):
    def forward(self, x): ...


class Base(nn.Module):
    def forward(self, x): ...


class Head(Base): ...


def stage():
    return Up()
"""
NET = """
from torch import nn
from blocks import Base, Conv, stage


class UNet(Base):
    def __init__(self):
        self.conv = Conv()
        self.up = stage()


class Focal(nn.Module):
    def forward(self, x, target): ...


class Config: ...


class Function(nn.Module):
    def encode(self, x): ...


class Typed(nn.Module):
    def forward(self, x: UNet): ...
"""


def test_a_part_is_named_in_another_model_and_a_loss_needs_a_target(tmp_path: Path) -> None:
    (tmp_path / "blocks.py").write_text(BLOCKS)
    (tmp_path / "net.py").write_text(NET)
    (tmp_path / "train.py").write_text("from net import UNet\n\nmodel = UNet()\n")
    files = [str(tmp_path / name) for name in ("blocks.py", "net.py", "train.py")]
    assert [(each.name, each.role) for each in model_classes(files)] == [
        ("UNet", ClassRole.MODEL),
        ("Base", ClassRole.UNBUILT),  # being subclassed makes no part
        ("Head", ClassRole.UNBUILT),
        ("Typed", ClassRole.UNBUILT),
        ("Conv", ClassRole.PART),
        ("Up", ClassRole.PART),  # named in a function that UNet calls
        ("Focal", ClassRole.LOSS),
    ]


def test_a_class_that_is_passed_to_another_is_a_part_and_an_object_of_it_is_none(tmp_path: Path) -> None:
    text = BLOCKS + "\n\ndef net():\n    return Base(Conv, [2, 2]), Base(Up())\n"
    (tmp_path / "blocks.py").write_text(text)
    roles = {each.name: each.role for each in model_classes([str(tmp_path / "blocks.py")])}
    assert (roles["Conv"], roles["Up"]) == (ClassRole.PART, ClassRole.MODEL)


def test_a_class_of_the_same_name_elsewhere_is_another_one(tmp_path: Path) -> None:
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(NET.replace("blocks", "elsewhere"))
    found = model_classes([str(tmp_path / name) for name in ("a.py", "b.py")])
    assert [each.name for each in found if each.role is ClassRole.PART] == []


def test_a_file_that_is_no_python_has_no_models(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("class Net(")
    assert model_classes([str(tmp_path / "net.py"), str(tmp_path / "none.py")]) == ()


ABSTRACT = """
from abc import ABC, abstractmethod
from torch import nn


class Base(nn.Module, ABC):
    @abstractmethod
    def encode(self, x): ...

    def forward(self, x): ...


class Net(Base):
    def encode(self, x): ...
"""


RAISING = """
from torch import nn


class Head(nn.Module):
    def forward(self, x):
        \"\"\"What those that derive from it do.\"\"\"
        raise NotImplementedError("not here")
"""


def test_a_model_of_a_file_may_derive_from_one_of_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "base.py").write_text(RAISING)
    (package / "net.py").write_text("from .base import Head\n\n\nclass Net(Head):\n    def forward(self, x): ...\n")
    monkeypatch.chdir(tmp_path)
    (job,) = TargetReader(CheckOptions()).of_target("package/net.py")
    assert job.target == "package/net.py:Net"
    (head,) = model_classes([str(package / "base.py")])
    assert (head.name, head.role) == ("Head", ClassRole.ABSTRACT)


def test_a_class_that_leaves_a_method_to_others_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(ABSTRACT)
    roles = {each.name: each.role for each in model_classes([str(tmp_path / "net.py")])}
    assert roles == {"Base": ClassRole.ABSTRACT, "Net": ClassRole.UNBUILT}
