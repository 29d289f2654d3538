"""A class for which nobody gave inputs: the evidence in its project, in order, each tried before it is assumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import shapelint
from shapelint.errors import TargetError

NET = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, channels, width=8):
        super().__init__()
        self.down = nn.Conv2d(channels, width, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(width, channels, 3, stride=2, padding=1)

    def forward(self, x):
        return x + self.up(self.down(x))
"""
PLAIN = NET.replace("channels, width=8", "channels=3, width=8")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checked(code: str) -> Any:
    Path("net.py").write_text(NET + code)
    return shapelint.check("net.py:Net")


def test_a_literal_call_names_the_asked_size(project: Path) -> None:
    report = checked("\nif __name__ == '__main__':\n    net = Net(3)\n    print(net(torch.randn(1, 3, 65, 65)))\n")
    assert report.inputs == ("1,3,65,65",)
    assert report.assumed == "assumed Net(3) at 1,3,65,65: as in net.py:17"
    assert report.ok


def test_a_literal_call_that_raises_for_its_size_is_a_finding(project: Path) -> None:
    report = checked("\nif __name__ == '__main__':\n    Net(3)(torch.randn(1, 3, 64, 64))\n")
    assert report.assumed == "assumed Net(3) at 1,3,64,64: as in net.py:16"
    assert [finding.code for finding in report.findings if finding.severity == "error"] == ["SL201"]


def test_a_literal_call_that_does_not_fit_the_layers_is_not_trusted(project: Path) -> None:
    report = checked("\ndef example():\n    Net(3)(torch.randn(1, 1, 64, 64))\n")
    assert report.inputs == ("1,3,H,W",)
    assert report.assumed == (
        "assumed Net(3) as in net.py:16, 1,3,H,W: `down` takes 3 channels; 1,1,64,64, as in net.py:16, raises"
    )
    assert not any(finding.severity == "error" for finding in report.findings)


@pytest.mark.parametrize("call", ["example()", "if __name__ == '__main__':\n    example()"])
def test_a_call_that_the_file_runs_and_that_fits_no_layer_is_a_finding(project: Path, call: str) -> None:
    report = checked(f"\ndef example():\n    Net(3)(torch.randn(1, 1, 64, 64))\n\n{call}\n")
    assert report.assumed == "assumed Net(3) at 1,1,64,64: as in net.py:16"
    (finding,) = report.findings
    assert finding.message == "`down` is built for 3 channels and gets 1 from the input"


@pytest.mark.parametrize("change", ["net.down = nn.Conv2d(1, 8, 3, 2, 1)", "adapt(net)", "x.resize_(1, 3, 64, 64)"])
def test_a_call_of_what_is_changed_before_is_not_trusted(project: Path, change: str) -> None:
    built = "def adapt(net): ...\n\nnet = Net(3)\nx = torch.randn(1, 1, 64, 64)\n"
    report = checked(f"\n{built}{change}\nnet(x)\n")
    assert report.inputs == ("1,3,H,W",)


ROUNDED_UP = """
from torch import nn


class Net(nn.Module):
    \"\"\"28 becomes 14, 7 and 4, and 8, 16, 14 and 28 again: right at 28 and wrong at every multiple of 8.\"\"\"

    def __init__(self):
        super().__init__()
        down = [nn.Conv2d(1, 4, 3, padding=1), *(nn.MaxPool2d(2, ceil_mode=True) for _ in range(3))]
        up = [nn.Upsample(scale_factor=2), nn.Upsample(scale_factor=2), nn.Conv2d(4, 4, 3), nn.Upsample(scale_factor=2)]
        self.body = nn.Sequential(*down, *up)

    def forward(self, x):
        return self.body(x)
"""


def test_sizes_that_nobody_asked_about_are_no_warning(project: Path) -> None:
    Path("net.py").write_text(ROUNDED_UP)
    assert [str(each.severity) for each in shapelint.check("net.py:Net").findings] == ["note"]
    assert [str(each.severity) for each in shapelint.check("net.py:Net", "1,1,H,W").findings] == ["warning"]


def test_a_call_in_another_file_that_raises_is_not_trusted(project: Path) -> None:
    Path("tests").mkdir()
    Path("tests/test_net.py").write_text("import torch\nfrom net import Net\n\nNet(3)(torch.randn(1, 3, 64, 64))\n")
    assert checked("").inputs == ("1,3,H,W",)


def test_arguments_of_the_constructor_are_read(project: Path) -> None:
    Path("train.py").write_text("from net import Net\n\nWIDTH = 4\nmodel = Net(2, width=WIDTH)\n")
    report = checked("")
    assert report.inputs == ("1,2,H,W",)
    assert report.assumed == "assumed Net(2, width=4) as in train.py:4, 1,2,H,W: `down` takes 2 channels"


def test_arguments_that_nobody_writes_down_are_asked_for(project: Path) -> None:
    with pytest.raises(TargetError, match=r"missing a required argument: 'channels'; give it with --kwargs"):
        checked("")


def test_given_arguments_win(project: Path) -> None:
    Path("net.py").write_text(NET + "\nmodel = Net(2)\n")
    report = shapelint.check("net.py:Net", init_kwargs={"channels": 5})
    assert report.assumed == "assumed 1,5,H,W: `down` takes 5 channels"


def test_the_comment_above_the_class_comes_first(project: Path) -> None:
    text = PLAIN.replace("class Net", "# shapelint: input=1,3,7,7\nclass Net")
    Path("net.py").write_text(text + "\nNet(3)(torch.randn(1, 3, 65, 65))\n")
    report = shapelint.check("net.py:Net")
    assert report.inputs == ("1,3,7,7",)
    assert report.assumed == "assumed 1,3,7,7: the comment at net.py:7"


ANNOTATED = '''
from torch import Tensor, nn

class Float:
    """Stands for jaxtyping's, which is not needed to read it."""
    def __class_getitem__(cls, item): return cls


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 4)

    def forward(self, x: Float[Tensor, "*batch time features"]) -> Float[Tensor, "*batch time 4"]:
        return self.layer(x)
'''


def test_an_annotation_of_forward_says_the_rank(project: Path) -> None:
    Path("net.py").write_text(ANNOTATED)
    report = shapelint.check("net.py:Net")
    assert report.inputs == ("batch,time,6",)
    assert report.assumed == "assumed batch,time,6, as `forward` is annotated"


def test_an_example_of_lightning_is_read(project: Path) -> None:
    example = "        self.example_input_array = torch.zeros(2, 3, 9, 9)\n\n    def f"
    code = PLAIN.replace("    def f", example)
    Path("net.py").write_text(code)
    assert shapelint.check("net.py:Net").assumed == "assumed 2,3,9,9: its `example_input_array`"


def test_the_keys_that_forward_reads_make_a_dict(project: Path) -> None:
    code = PLAIN.replace(
        "return x + self.up(self.down(x))", "return self.up(self.down(x['image'])) * x['scale'][:, None, None, None]"
    )
    Path("net.py").write_text(code)
    assert shapelint.check("net.py:Net").inputs == ("x.image=1,3,H,W", "x.scale=1:float32")


@pytest.mark.parametrize("argument", ["config: Config", "config"])
def test_an_object_of_settings_is_made_of_its_defaults(project: Path, argument: str) -> None:
    config = "from dataclasses import dataclass\n\n@dataclass\nclass Config:\n    channels: int = 5\n\n"
    Path("net.py").write_text(
        config + NET.replace("channels, width=8", argument).replace("channels", "config.channels")
        .replace("width", "config.channels").replace("config.channels: int", "channels: int")
    )
    assert shapelint.check("net.py:Net").assumed == (
        "assumed Net(config=Config()) as in net.py:13, 1,5,H,W: `down` takes 5 channels"
    )


def test_a_class_and_a_layer_among_the_arguments_are_those_of_the_module(project: Path) -> None:
    code = """
class Outer(nn.Module):
    def __init__(self, block, inner, last):
        super().__init__()
        self.body = nn.Sequential(block(3, 4), inner, last)

    def forward(self, x):
        return self.body(x)


model = Outer(nn.Identity, Net(2), nn.Conv2d(2, 1, 1))
"""
    Path("net.py").write_text(NET + code)
    report = shapelint.check("net.py:Outer")
    built = "Outer(nn.Identity, Net(2), nn.Conv2d(2, 1, 1))"
    assert report.assumed == f"assumed {built} as in net.py:24, 1,2,H,W: `body.1.down` takes 2 channels"
