"""Inputs that nobody gave: what is found for a model, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import shapelint
from shapelint.errors import InferenceError


class Picture(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(8, 3, 4, stride=2, padding=1)

    def forward(self, x: Any) -> Any:
        return self.up(self.down(x))


class Tokens(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.lstm = nn.Embedding(100, 16), nn.LSTM(16, 8, batch_first=True)

    def forward(self, x: Any) -> Any:
        return self.lstm(self.embedding(x))[0][:, -1]


class Rows(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(784, 10)

    def forward(self, x: Any) -> Any:
        return self.layer(x.view(-1, 784))


class Denoiser(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.time, self.context = nn.Conv2d(4, 8, 3, padding=1), nn.Linear(1, 8), nn.Linear(12, 8)

    def forward(self, x: Any, timesteps: Any, context: Any) -> Any:
        told = self.time(timesteps.float()[:, None]) + self.context(context).mean(1)
        return self.conv(x) + told[:, :, None, None]


class Groups(nn.Module):
    """Any multiple of four features: each batch runs where one sample does."""

    def forward(self, x: Any) -> Any:
        return x.unflatten(1, (-1, 4)).mean(-1)


class Generator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dense, self.up = nn.Linear(100, 8 * 16), nn.ConvTranspose2d(8, 3, 4, 2, 1)

    def forward(self, z: Any) -> Any:
        return self.up(self.dense(z).view(-1, 8, 4, 4))


class RowsOfNoise(Generator):
    def forward(self, z: Any) -> Any:
        return self.up(self.dense(z).view(z.shape[0], 8, 4, 4))


class Attended(Tokens):
    def forward(self, x: Any, attention_mask: Any) -> Any:
        return self.embedding(x) * attention_mask[:, :, None]


class Masked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 1, 1)

    def forward(self, image: Any, *, mask: Any) -> Any:
        return self.conv(image) * mask


class Matting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 1, 3, padding=1)

    def forward(self, image: Any, trimap: Any) -> Any:
        return self.conv(torch.cat([image, trimap], 1))


class History(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv3d(3, 4, (2, 3, 3), padding=(0, 1, 1))

    def forward(self, x: Any) -> Any:
        return self.conv(x.transpose(1, 2)).mean(2)


class Fixed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.dense = nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.Linear(4 * 14 * 14, 10)

    def forward(self, x: Any) -> Any:
        return self.dense(self.conv(x).flatten(1))


FOUND = {
    "a picture": (Picture, ("1,3,H,W",), "assumed 1,3,H,W: `down` takes 3 channels"),
    "tokens": (Tokens, ("1,L:int64",), "assumed 1,L:int64, at which it runs"),
    "rows of a batch": (Rows, ("N,784",), "assumed N,784: the model takes 784 features"),
    "a signal": (lambda: nn.Conv1d(2, 4, 3), ("1,2,L",), "assumed 1,2,L: the model takes 2 channels"),
    "a volume": (lambda: nn.Conv3d(1, 4, 3), ("1,1,D,H,W",), "assumed 1,1,D,H,W: the model takes 1 channel"),
    "a sequence": (lambda: nn.LSTM(16, 8, batch_first=True), ("1,L,16",), "assumed 1,L,16: the model takes 16 "),
    "a pinned picture": (Fixed, ("1,1,H,W",), "assumed 1,1,H,W: `conv` takes 1 channel"),
    "times and contexts": (Denoiser, ("1,4,H,W", "1", "1,C3,12"), "assumed 1,4,H,W and 1 and 1,C3,12: `context` takes"),
    "groups of features": (Groups, ("1,F",), "assumed 1,F, at which it runs"),
    "noise": (Generator, ("N,100",), "assumed N,100: `dense` takes 100 features"),
    "noise that fits pixels too": (RowsOfNoise, ("N,100",), "assumed N,100: `dense` takes 100 features"),
    "tokens with a mask": (Attended, ("1,L:int64", "1,L"), "assumed 1,L:int64 and 1,L, at which it runs"),
    "a mask by keyword": (Masked, ("1,3,H,W", "mask=1,C2,H,W"), "assumed 1,3,H,W and mask=1,C2,H,W: `conv` takes"),
    "a picture and its trimap": (Matting, ("1,3,H,W", "1,1,H,W"), "assumed 1,3,H,W and 1,1,H,W, at which it runs"),
    "pictures at steps": (History, ("1,T,3,H,W",), "assumed 1,T,3,H,W: `conv` takes 3 channels"),
}  # fmt: skip


@pytest.mark.parametrize(("net", "inputs", "sentence"), FOUND.values(), ids=FOUND)
def test_the_layers_say_what_a_model_takes(net: Callable[[], nn.Module], inputs: Any, sentence: str) -> None:
    report = shapelint.check(net)
    assert report.inputs == inputs
    assert report.assumed.startswith(sentence)
    assert report.ok


CHECKED = """
from __future__ import annotations
from typing import TYPE_CHECKING
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor
    from settings import Settings


class Net(nn.Module):
    def __init__(self, width: int = 4, settings: Settings | None = None) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, width, 1)

    def forward(self, images: {kind}) -> Tensor:
        return self.conv({image})
"""


@pytest.mark.parametrize(
    ("kind", "image", "count"), [("Tensor", "images", 1), ("list[Tensor]", "images[0] + images[1]", 2)]
)
def test_names_that_only_type_checkers_know_are_no_error(tmp_path: Path, kind: str, image: str, count: int) -> None:
    file = tmp_path / "net.py"
    file.write_text(CHECKED.format(kind=kind, image=image))
    assert shapelint.check(f"{file}:Net", init_kwargs={"width": 8}).inputs == ("1,3,H,W",) * count


def test_what_is_given_is_not_assumed() -> None:
    assert shapelint.check(Picture, "1,3,H,W").assumed == ""


def test_a_module_that_is_built_already_stays_as_it_was() -> None:
    net = Picture()
    weights = net.down.weight
    assert shapelint.check(net).inputs == ("1,3,H,W",)
    assert net.down.weight is weights
    assert net.training
    assert [net(x).shape for x in (torch.zeros(1, 3, 8, 8),)] == [(1, 3, 8, 8)]


class Torn(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3), nn.Conv2d(16, 8, 3)

    def forward(self, x: Any) -> Any:
        return self.second(self.first(x))


class Asking(Torn):
    def forward(self, x: Any) -> Any:
        if x.dim() != 7:
            raise ValueError("seven axes")
        return self.first(x)


def test_a_model_that_no_input_suits_is_blamed_where_a_size_rule_proves_it() -> None:
    report = shapelint.check(Torn)
    assert [each.message for each in report.findings] == ["`second` is built for 16 channels and gets 8 from `first`"]
    assert report.assumed.endswith(": `first` takes 3 channels; no size of it runs, nor was another input found")


class RowsOfNumpy(nn.Module):
    """Joins as many rows as numpy counts, of which nobody knows at which sizes there are seven."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 1)

    def forward(self, x: Any) -> Any:
        y = self.second(self.first(x).relu()).relu()
        return torch.cat([y.new_zeros(y.shape[0], 8, len(np.arange(x.shape[2])), 7), y.transpose(2, 3)], dim=1)


def test_a_model_that_raised_at_tried_sizes_alone_is_not_told_to_run_at_none() -> None:
    assert [RowsOfNumpy()(image).shape for image in torch.zeros(1, 1, 3, 7, 7)] == [(1, 16, 7, 7)]
    with pytest.raises(InferenceError, match="could not infer an input"):
        shapelint.check(RowsOfNumpy)


def test_a_model_that_refuses_every_guess_is_not_checked() -> None:
    with pytest.raises(InferenceError, match=r"could not infer an input; .* raises: ValueError: seven axes") as caught:
        shapelint.check(Asking)
    assert str(caught.value).endswith("give it with --input 1,3,H,W")
    volumes = Asking()
    volumes.first = nn.Conv3d(3, 8, 3)  # type: ignore[assignment]
    with pytest.raises(InferenceError, match=r"give it with --input 1,3,D,H,W$"):
        shapelint.check(volumes)


class Misspelt(Torn):
    def forward(self, x: Any) -> Any:
        return torch.softmx(self.first(x), 1)  # type: ignore[attr-defined]


def test_a_slip_behind_the_first_layer_is_told_rather_than_what_that_layer_refuses() -> None:
    with pytest.raises(InferenceError, match=r"Misspelt does not run: AttributeError: module 'torch' has no .* at N,C"):
        shapelint.check(Misspelt)


class Packed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(16, 8, batch_first=True)

    def forward(self, x: Any) -> Any:
        lengths = torch.full((x.size(0),), x.size(1))
        return self.gru(nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True))[1]


def test_what_the_check_cannot_follow_is_not_said_to_raise() -> None:
    with pytest.raises(InferenceError, match=r"at N,C,L `gru` cannot be followed: packed sequences of other features"):
        shapelint.check(Packed)


class Counted(nn.Module):
    """A sample without a batch would run: its channels are then taken for samples."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(1, 32, 3), nn.Linear(1050, 10)

    def forward(self, x: Any) -> Any:
        x = self.conv(x)
        return self.fc(x.view(x.size(0), -1))


def test_channels_are_no_samples() -> None:
    assert [each.severity for each in shapelint.check(Counted).findings] == ["error"]


class OnlyReal(nn.Module):
    """Meta tensors take any dtype here; eager PyTorch does not."""

    def forward(self, x: Any) -> Any:
        return F.one_hot(x, 5)


def test_eager_pytorch_has_the_last_word_on_a_guess() -> None:
    assert shapelint.check(OnlyReal).inputs[0].endswith(":int64")


def test_a_given_argument_is_kept() -> None:
    class Scaled(Picture):
        def forward(self, x: Any, factor: float) -> Any:
            return F.interpolate(super().forward(x), scale_factor=factor)

    report = shapelint.check(Scaled, call_kwargs={"factor": 2})
    assert report.inputs == ("1,3,H,W",)
    assert report.contract.outcome(H=8, W=8).outputs == ((1, 3, 16, 16),)


@pytest.mark.parametrize(
    ("dtype", "inputs"),
    [(torch.float64, ("1,3,H,W:float64",)), (torch.bfloat16, ("1,3,H,W:bfloat16",)), (torch.float32, ("1,3,H,W",))],
)
def test_an_input_has_the_dtype_of_the_first_weight(dtype: torch.dtype, inputs: tuple[str, ...]) -> None:
    assert shapelint.check(lambda: Picture().to(dtype)).inputs == inputs


def test_a_model_that_casts_its_input_is_found_at_the_default_dtype() -> None:
    class Ids(Picture):
        def forward(self, x: Any) -> Any:
            assert x.dtype == torch.float32
            return super().forward(x.double())

    assert shapelint.check(lambda: Ids().double()).inputs == ("1,3,H,W",)


def test_literals_without_a_dtype_have_the_default_of_the_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = (
        "import torch\nfrom torch import nn\ntorch.set_default_dtype(torch.float64)\nclass Net(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n        self.a = nn.Conv2d(3, 3, 3)\n"
        "    def forward(self, x):\n        return self.a(x)\n"
        "if __name__ == '__main__':\n    Net()(torch.randn(1, 3, 8, 8))\n"
    )
    Path("net.py").write_text(source)
    report = shapelint.check("net.py:Net")
    assert report.inputs == ("1,3,8,8:float64",)
    assert report.assumed.endswith("as in net.py:11")


@dataclass
class Batch:
    image: torch.Tensor
    factor: float
    mask: torch.Tensor | None = None


class Views(NamedTuple):
    left: torch.Tensor
    right: torch.Tensor


class Entry(TypedDict):
    image: torch.Tensor
    ids: torch.Tensor


class Convolved(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.three, self.one = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(1, 4, 3, padding=1)
        self.ids, self.five = nn.Embedding(9, 4), nn.Linear(5, 4)


class OfDataclass(Convolved):
    def forward(self, batch: Batch) -> Any:
        return self.three(batch.image) * batch.factor


class OfNamedTuple(Convolved):
    def forward(self, views: Views) -> Any:
        return self.three(views.left) + self.one(views.right)


class OfTypedDict(Convolved):
    def forward(self, entry: Entry) -> Any:
        return self.three(entry["image"]) + self.ids(entry["ids"]).mean(1)[:, :, None, None]


class OfFields(Convolved):
    def forward(self, views: Any) -> Any:
        return self.three(views.left) + self.one(views.right)


class OfKeys(Convolved):
    def forward(self, x: Any) -> Any:
        found = self.three(x["image"])
        return found * x["mask"] if "mask" in x else found


class OfPair(Convolved):
    def forward(self, inputs: Any) -> Any:
        image, row = inputs
        return self.three(image) + self.five(row)[:, :, None, None]


class OfList(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(channels, 8, 1) for channels in (4, 8, 16)])

    def forward(self, maps: list[torch.Tensor]) -> Any:
        return [conv(each) for conv, each in zip(self.convs, maps, strict=True)]


class Repeated(Convolved):
    def forward(self, x: Any, steps: int) -> Any:
        return self.three(x) if steps else x


class Padded(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 6)

    def forward(self, x: Any, padding_mask: Any) -> Any:
        return self.layer(x).masked_fill(padding_mask[..., None], 0.0) + torch.zeros(x.shape[1])[:, None]


GROUPS = {
    "a dataclass": (OfDataclass, ("batch.image=1,3,H,W",)),
    "a NamedTuple": (OfNamedTuple, ("views.left=1,3,H,W", "views.right=1,1,H,W")),
    "a TypedDict": (OfTypedDict, ("entry.image=1,3,H,W", "entry.ids=1,F2:int64")),
    "an object by its fields": (OfFields, ("views.left=1,3,H,W", "views.right=1,1,H,W")),
    "a key that may be missing": (OfKeys, ("x.image=1,3,H,W",)),
    "a tuple that is taken apart": (OfPair, ("1,3,H,W", "1,5")),
    "a list as long as the layers": (OfList, ("1,4,H,W", "1,8,H,W", "1,16,H,W")),
    "a number": (Repeated, ("1,3,H,W",)),
    "a mask as long as the sequence": (Padded, ("1,L,6", "1,L:bool")),
}


@pytest.mark.parametrize(("net", "inputs"), GROUPS.values(), ids=GROUPS)
def test_an_argument_that_holds_several_tensors_is_made_of_them(net: Callable[[], nn.Module], inputs: Any) -> None:
    report = shapelint.check(net)
    assert report.inputs == inputs
    assert report.ok


def test_a_number_that_is_assumed_is_told() -> None:
    assert shapelint.check(Repeated).assumed == "assumed 1,3,H,W and steps=1: `three` takes 3 channels"


class Broadcasting(nn.Module):
    """Runs with one feature too, which is broadcast against 33."""

    def __init__(self) -> None:
        super().__init__()
        self.mean, self.layer = nn.Parameter(torch.zeros(33)), nn.Linear(33, 8)

    def forward(self, x: Any) -> Any:
        return self.layer(x + self.mean)


class Clip(nn.Module):
    """Takes 8 frames of 32 by 32 and no other number of patches."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.table = nn.Conv3d(3, 4, (2, 16, 16), stride=(2, 16, 16)), nn.Parameter(torch.zeros(4, 16))

    def forward(self, x: Any) -> Any:
        return self.patches(x).flatten(2) + self.table


def test_what_is_broadcast_is_not_taken_for_what_a_model_needs() -> None:
    assert shapelint.check(Broadcasting).inputs == ("N,33",)


def test_clips_of_few_frames_are_tried() -> None:
    assert shapelint.check(Clip).inputs == ("1,3,D,H,W",)


class Unpadded(nn.Module):
    """Takes a row off each side at 24 layers, each of which refuses the smallest size that the one before takes."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv3d(1, 2, 3), *[nn.Conv3d(2, 2, 3) for _ in range(23)])

    def forward(self, x: Any) -> Any:
        return self.layers(x)


def test_each_layer_that_a_size_comes_past_is_a_try_more() -> None:
    assert shapelint.check(Unpadded).inputs == ("1,1,D,H,W",)


class Controlled(Convolved):
    """The control is twice as large as the picture; one of 1x1 is broadcast."""

    def forward(self, x: Any, control: Any) -> Any:
        return self.three(x) + F.max_pool2d(self.one(control), 2)


def test_a_second_picture_is_not_shrunk_until_it_broadcasts() -> None:
    report = shapelint.check(Controlled)
    assert report.inputs == ("1,3,H,W", "1,1,H2,W2")
    assert not [each for each in report.findings if each.severity == "error"]
