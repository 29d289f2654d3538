"""Inputs as people have them: dicts, dataclasses, numbers, tensors without dims, and objects of settings."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path

import pytest

from shapelint.cli.app import run
from shapelint.errors import SpecError
from shapelint.request.entries import Entries
from shapelint.request.inputs import parse_inputs
from shapelint.request.spec import parse_tensor

MODELS = """
import argparse
from dataclasses import dataclass

import torch
from torch import nn


class Base(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.down = nn.Conv2d(3, width, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(width, 3, 3, stride=2, padding=1)

    def run(self, x):
        return self.up(self.down(x))


class ADict(Base):
    def forward(self, batch):
        return {"logits": self.run(batch["image"]), "size": batch.image.shape[-1]}


@dataclass
class Batch:
    image: torch.Tensor
    mask: torch.Tensor | None = None
    scale: float = 1.0


class AnObject(Base):
    def forward(self, batch: "Batch | None"):
        assert isinstance(batch, Batch)
        return self.run(batch.image) * batch.scale


@dataclass
class Measured:
    image: torch.Tensor
    width: int = 0

    def __post_init__(self):
        self.width = self.image.shape[-1]
        if self.image.shape[-2] % 3 == 0:
            raise ValueError("a multiple of 3")


class AMeasure(Base):
    def forward(self, batch: Measured):
        return batch.image.new_zeros(1, 1, batch.width)


class ANumber(Base):
    def forward(self, x, rate):
        assert type(rate) is int
        return self.run(x[..., ::2] if rate > 8000 else x)


class NoDims(Base):
    def forward(self, x, t):
        assert t.dim() == 0 and t.dtype == torch.int64
        return self.run(x) * t


@dataclass
class Block:
    width: int


@dataclass
class Config:
    block: Block
    name: str = "net"


class Annotated(Base):
    def __init__(self, config: Config):
        assert isinstance(config.block, Block)
        super().__init__(config.block.width)

    forward = Base.run


class Spaces(Base):
    def __init__(self, args: argparse.Namespace):
        assert isinstance(args, argparse.Namespace)
        super().__init__(args.block.width)

    forward = Base.run


class Plain(Base):
    def __init__(self, args):
        assert args["block"]["width"] == args.block.width == vars(args)["block"].get("width")
        super().__init__(args.block.width)

    forward = Base.run


def script():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    return Base(parser.parse_args())


def loaded():
    return torch.load("weights.pt")
"""

IMAGE, SETTINGS = ("--input", "1,3,6,6"), json.dumps({"block": {"width": 4}})


@pytest.fixture(autouse=True)
def _models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(MODELS)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ADict", ("--input", "batch.image=1,3,6,6")),
        ("ADict", ("--call-kwargs", '{"batch": {"image": "1,3,6,6"}}')),
        ("AnObject", ("--input", "batch.image=1,3,6,6", "--input", "batch.scale=0.5")),
        ("ANumber", (*IMAGE, "--input", "rate=8000")),
        ("NoDims", (*IMAGE, "--input", "t=:int64")),
        ("Annotated", (*IMAGE, "--kwargs", f'{{"config": {SETTINGS}}}')),
        ("Spaces", (*IMAGE, "--kwargs", f'{{"args": {SETTINGS}}}')),
        ("Plain", (*IMAGE, "--kwargs", f'{{"args": {SETTINGS}}}')),
    ],
)
def test_a_model_gets_what_it_takes(name: str, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", f"net.py:{name}", *arguments, "--no-confirm", "--format", "concise"]) == 1
    assert capsys.readouterr().out.endswith(": SL101 `up` gives back 5x5 where `down` took 6x6\n")


@pytest.mark.parametrize("name", ["ADict", "AnObject"])
def test_the_file_that_onnxruntime_runs_takes_the_entries_as_inputs(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", f"net.py:{name}", "--input", "batch.image=1,3,H,W"]) == 1
    assert "8 of 8 sizes as predicted" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("AnObject", ("--input", "batch.imag=1,3,6,6"), "'batch' is no Batch: missing a required argument: 'image'"),
        ("Annotated", (*IMAGE, "--kwargs", '{"config": {"width": 4}}'), "'config' is no Config: missing a required"),
        ("ADict", ("--input", "batch=1,3", "--input", "batch.image=1,3"), "the argument 'batch' is given twice"),
        ("ADict", ("--input", "batch.=1,3"), "'batch.' names no entry; write batch.image=1,3,H,W"),
        ("script", IMAGE, "it reads the command line: name what takes the values themselves"),
        ("loaded", IMAGE, "no weights are needed: name the class, or a function that only builds it"),
    ],
)
def test_what_does_not_fit_is_one_line(
    name: str, arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", f"net.py:{name}", *arguments, "--no-confirm"]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"shapelint: net.py:{name}: ")
    assert words in last


def test_an_object_of_omegaconf_is_made_where_one_is_annotated(capsys: pytest.CaptureFixture[str]) -> None:
    made = "class DictConfig(dict):\n    pass\n\n\nclass OmegaConf:\n    @staticmethod\n    def create(given):\n"
    body = "        assert type(given['block']) is dict\n        return DictConfig(given)\n"
    Path("omegaconf.py").write_text(made + body)
    model = "class Conf(Base):\n    def __init__(self, cfg: DictConfig):\n        assert type(cfg) is DictConfig\n"
    rest = "        super().__init__(cfg['block']['width'])\n\n    forward = Base.run\n"
    Path("net.py").write_text(f"from omegaconf import DictConfig\n{MODELS}\n\n{model}{rest}")
    assert run(["check", "net.py:Conf", *IMAGE, "--kwargs", f'{{"cfg": {SETTINGS}}}', "--no-confirm"]) == 1
    assert "SL101" in capsys.readouterr().out


def test_what_a_constructor_asks_of_sizes_is_a_condition(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sizes", "net.py:AMeasure", "--input", "batch.image=1,3,H,W"]) == 0
    out = capsys.readouterr().out
    assert "runs for: H no multiples of 3, any W" in out
    assert "proved for every size" in out
    assert "gives (1, 1, W)" in out


def test_methods_of_a_dict_win_over_entries_of_their_names() -> None:
    entries = Entries(items=1, update=2, width=3)
    assert list(copy.copy(entries).items()) == [("items", 1), ("update", 2), ("width", 3)]
    assert (entries["items"], entries.width, vars(entries)["update"]) == (1, 3, 2)


@pytest.mark.parametrize("text", ["t=:float32", "t=:int64", "sr=16000:float32", "sr=L", ":float32", "a.b=1,3,H"])
def test_a_spec_reads_as_it_is_written(text: str) -> None:
    assert str(parse_tensor(text)) == text
    assert parse_inputs(text).texts() == (text,)


@pytest.mark.parametrize(
    ("text", "value"), [("x=16000", 16000), ("x=-0.5", -0.5), ("x=1e3", 1000.0), ("x.y=2", {"y": 2})]
)
def test_a_name_with_a_number_is_that_number(text: str, value: object) -> None:
    assert parse_inputs(text).kwargs == {"x": value}


def test_copies_of_entries_keep_items_and_attributes_one() -> None:
    entries = Entries(a=1, b=[2])
    for again in (copy.copy(entries), copy.deepcopy(entries), pickle.loads(pickle.dumps(entries))):
        again["a"] = 5
        assert (again.a, again.b, entries.a, type(again)) == (5, [2], 1, Entries)
    with pytest.raises(AttributeError, match="no attribute 'c'"):
        _ = entries.c


def test_a_bad_name_with_a_number_is_refused() -> None:
    with pytest.raises(SpecError, match="'class' is no name of a keyword argument"):
        parse_inputs("class=3")
