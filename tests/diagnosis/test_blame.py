"""Models as people write them, whose blame or repair once was wrong: gates, tokens, permuted maps, frames in a loop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import shapelint
from tests.oracle import run


class Gated(nn.Module):
    """An attention gate scales the skip by what the decoder's tensor says, resized to the skip."""

    def __init__(self) -> None:
        super().__init__()
        self.enc, self.pool, self.mid = nn.Conv2d(3, 4, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3, padding=1)
        self.up, self.gate, self.psi = nn.ConvTranspose2d(4, 4, 2, 2), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        skip = self.enc(x)
        y = self.up(self.mid(self.pool(skip)))
        signal = F.interpolate(self.gate(y), size=skip.shape[2:])
        return torch.cat([skip * torch.sigmoid(self.psi(signal)), y], 1)


def test_a_gated_skip_is_still_the_skip() -> None:
    finding = shapelint.check(Gated, (1, 3, 33, 32)).findings[0]
    assert finding.message == "`cat` joins 32x32 from `up` with 33x32 from `enc`"
    assert finding.fix is not None
    assert "resize or pad what `up` gives to the size of the skip from `enc`" in finding.fix.title


class Tokens(nn.Module):
    """Patches as tokens, merged by two and spread out again: nothing here is a map any more."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.merge, self.spread = nn.Conv1d(1, 8, 2, 2), nn.Linear(16, 16), nn.Linear(16, 16)
        self.fuse = nn.Linear(16, 8)

    def forward(self, x: Tensor) -> Tensor:
        skip = self.embed(x).transpose(1, 2)
        merged = self.merge(F.pad(skip, (0, 0, 0, skip.shape[1] % 2)).reshape(x.shape[0], -1, 16))
        return self.fuse(torch.cat([self.spread(merged).reshape(x.shape[0], -1, 8), skip], -1))


def test_tokens_are_not_resized_as_maps_and_the_later_one_is_not_the_skip() -> None:
    finding = next(each for each in shapelint.check(Tokens, (1, 1, 30)).findings if each.code == "SL201")
    assert finding.fix is not None
    assert finding.fix.title.endswith("to the size of the skip from `embed`")
    assert "interpolate" not in finding.fix.title


class Permuted(nn.Module):
    """Linear layers over the channels in between, as in many transformers: the maps are not contiguous."""

    def __init__(self, **options: int) -> None:
        super().__init__()
        self.down, self.mix = nn.Conv2d(1, 4, 3, 2, 1), nn.Linear(4, 4)
        self.up = nn.ConvTranspose2d(4, 1, 3, 2, 1, **options)

    def forward(self, x: Tensor) -> Tensor:
        return self.up(self.mix(self.down(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2))


@pytest.mark.parametrize("options", [{}, {"output_padding": 1}])
def test_a_layer_that_takes_a_permuted_tensor_is_repaired(options: dict[str, int]) -> None:
    report = shapelint.check(Permuted(**options), (1, 1, 25, 26))
    assert [finding.code for finding in report.findings] == ["SL101"]
    fix = report.findings[0].fix
    assert fix is not None
    assert dict(fix.assignments) == {"up.output_padding": (0, 1)}
    mended = Permuted(**options)
    mended.up.output_padding = fix.assignments["up.output_padding"]
    assert run(mended, (1, 1, 25, 26)) == ((1, 1, 25, 26),)


class Frames(nn.Module):
    """The same decoder for each frame of a sequence, after a recurrent cell that splits its gates."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.gates = nn.Conv2d(1, 4, 3, 2, 1), nn.Conv2d(8, 16, 3, padding=1)
        self.up = nn.ConvTranspose2d(4, 1, 3, 2, 1, output_padding=1)

    def forward(self, frames: Tensor) -> Tensor:
        made, state = [], None
        for frame in frames.unbind(1):
            x = self.down(frame)
            state = torch.zeros_like(x) if state is None else state
            keep, write, show, new = self.gates(torch.cat([x, state], 1)).split(4, 1)
            state = keep.sigmoid() * state + write.sigmoid() * new.tanh()
            made.append(self.up(show.sigmoid() * state.tanh()))
        return torch.stack(made, 1)


def test_a_layer_that_serves_each_frame_has_one_finding_and_one_repair() -> None:
    report = shapelint.check(Frames, (1, 3, 1, 25, 26))
    assert [finding.code for finding in report.findings] == ["SL101"]
    assert report.findings[0].fix is not None
    assert dict(report.findings[0].fix.assignments) == {"up.output_padding": (0, 1)}


class Strided(nn.Module):
    """Fits 1 or 2 mod 4 only; the smallest such size, 1, is not made smaller at all."""

    def __init__(self) -> None:
        super().__init__()
        self.down1, self.down2 = nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 8, 3, 2, 1)
        self.up2, self.up1 = nn.ConvTranspose2d(8, 4, 3, 2, 1), nn.ConvTranspose2d(4, 3, 3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        skip = self.down1(x)
        y = self.up2(self.down2(skip))
        return self.up1(y + skip)


def test_what_is_meant_does_not_depend_on_the_size_that_happened_to_run() -> None:
    report = shapelint.check(Strided, (1, 3, 64, 64))
    assert {finding.code for finding in report.findings if finding.severity == "error"} == {"SL201", "SL101"}
    values = {name: value for each in report.findings if each.fix for name, value in each.fix.assignments.items()}
    assert values == {"up2.output_padding": (1, 1), "up1.output_padding": (1, 1)}


class Trimmed(nn.Module):
    """An audio codec that cuts what its transposed layer gives too much, as EnCodec does."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv1d(1, 4, 10, 5), nn.ConvTranspose1d(4, 1, 10, 5)

    def forward(self, x: Tensor) -> Tensor:
        whole = -(-x.shape[-1] // 5) * 5
        return self.up(self.down(F.pad(x, (3, whole - x.shape[-1] + 2))))[..., 3:-2]


def test_a_crop_that_follows_a_layer_is_a_part_of_it() -> None:
    assert shapelint.check(Trimmed, (1, 1, 500)).pairs[0].size_out == (500,)
    finding = shapelint.check(Trimmed, (1, 1, 498)).findings[0]
    assert finding.message == "`up` gives back 500 where `down` took 498"


class Recurrent(nn.Module):
    """A speech enhancer whose LSTM pins the number of frequency bins to 31 or 32; 31 come back."""

    def __init__(self) -> None:
        super().__init__()
        self.down1, self.down2 = nn.Conv2d(1, 2, (1, 3), (1, 2)), nn.Conv2d(2, 2, (1, 3), (1, 2))
        self.lstm = nn.LSTM(14, 14, batch_first=True)
        self.up2, self.up1 = nn.ConvTranspose2d(2, 2, (1, 3), (1, 2)), nn.ConvTranspose2d(2, 1, (1, 3), (1, 2))

    def forward(self, x: Tensor) -> Tensor:
        x = self.down2(self.down1(x)).permute(0, 2, 1, 3)
        y, _ = self.lstm(x.flatten(2))
        return self.up1(self.up2(y.reshape(x.shape).permute(0, 2, 1, 3)))


def test_a_model_pinned_to_some_sizes_is_not_blamed_for_the_multiples_of_its_stride() -> None:
    report = shapelint.check(Recurrent, "1,1,T,F")
    assert report.ok
    assert str(report.contract.restores) == "any T, F only 31"


class Told(nn.Module):
    """The transposed layer is told a size that is one too large: its `output_padding` is not asked."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv1d(1, 4, 3, 2, 1), nn.ConvTranspose1d(4, 1, 3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.up(self.down(x), output_size=(x.shape[-1] + 1,))


def test_the_output_padding_of_a_layer_that_is_told_its_size_is_no_repair() -> None:
    report = shapelint.check(Told, (1, 1, 33))
    assert not report.ok
    assert not [finding for finding in report.findings if finding.fix is not None and finding.fix.assignments]


class Squeezed(nn.Module):
    """The output has no channel axis, or has it last: at one size alone no shape tells which axes are spatial."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.down, self.up, self.form = nn.Conv2d(3, 4, 3, 2, 1), nn.ConvTranspose2d(4, 1, 3, 2, 1), form

    def forward(self, x: Tensor) -> Tensor:
        y = self.up(self.down(x))
        return y.squeeze(1) if self.form == "squeezed" else y.permute(0, 2, 3, 1)


@pytest.mark.parametrize("form", ["squeezed", "last"])
def test_an_output_of_another_layout_is_repaired(form: str) -> None:
    report = shapelint.check(Squeezed, (1, 3, 24, 25), init_kwargs={"form": form})
    assert [finding.code for finding in report.findings] == ["SL101"]
    fix = report.findings[0].fix
    assert fix is not None
    assert dict(fix.assignments) == {"up.output_padding": (1, 0)}


@pytest.mark.parametrize("shape", [(1, 1, 37), (1, 1, 38, 39), (1, 1, 17, 18, 19)])
def test_the_code_that_pads_and_crops_is_right(shape: tuple[int, ...]) -> None:
    rank = len(shape) - 2
    kinds = {1: (nn.MaxPool1d, "linear"), 2: (nn.MaxPool2d, "bilinear"), 3: (nn.MaxPool3d, "trilinear")}
    pool, mode = kinds[rank]
    net = nn.Sequential(pool(2), pool(2), nn.Upsample(scale_factor=4, mode=mode))
    (finding,) = shapelint.check(net, shape).findings
    code = next(note for note in finding.notes if note.startswith("or pad the input to multiples of 4"))
    names = {"net": net, "F": nn.functional, "x": torch.zeros(shape)}
    exec("\n".join(code.splitlines()[1:]), names)
    assert tuple(names["y"].shape) == shape


def test_the_code_that_pads_to_another_rest_is_right() -> None:
    net = nn.Sequential(nn.MaxPool1d(4), nn.Upsample(scale_factor=4, mode="linear"), nn.ConstantPad1d((0, 3), 0.0))
    (finding,) = shapelint.check(net, (1, 1, 37)).findings
    code = next(note for note in finding.notes if note.startswith("or pad the input to 3 mod 4 and crop"))
    assert code.splitlines()[2] == "y = net(F.pad(x, (0, (3 - length) % 4)))[..., :length]"
    for length in (36, 37, 38, 39):
        names = {"net": net, "F": nn.functional, "x": torch.zeros(1, 1, length)}
        exec("\n".join(code.splitlines()[1:]), names)
        assert tuple(names["y"].shape) == (1, 1, length)


class OneChannelLast(nn.Module):
    """With one channel the permuted image is contiguous, and PyTorch convolves it as channels-last all the same."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(1, 2, 3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(x.permute(0, 3, 1, 2))
        return x.view(x.size(0), -1)


def test_one_channel_that_was_permuted_is_convolved_as_channels_last() -> None:
    outcome = shapelint.check(OneChannelLast, "1,H,W,1").contract.outcome(H=32, W=32)
    assert outcome.ok is not True
    assert outcome.error or outcome.ok is None
    with pytest.raises(RuntimeError):
        OneChannelLast()(torch.zeros(1, 32, 32, 1))


def test_a_raise_in_a_package_is_placed_at_the_users_line() -> None:
    einops = pytest.importorskip("einops")

    class Windows(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return cast(Tensor, einops.rearrange(x, "b c (h p) (w q) -> b (c p q) h w", p=2, q=2))

    (finding,) = shapelint.check(Windows, (1, 3, 33, 32)).findings
    assert finding.code == "SL202"
    cause = "EinopsError: Shape mismatch, can't divide axis of length 33 in chunks of 2 (seen at H=33, W=32)"
    assert cause in (finding.message, *finding.notes)
    assert finding.location is not None
    assert "einops.rearrange(x" in Path(finding.location.file).read_text().splitlines()[finding.location.line - 1]


class Rows(nn.Module):
    """The number of rows stands in the code; the columns are what is left."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 4, 3, 2, 1), nn.ConvTranspose2d(4, 3, 4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.down(x)
        return self.up(y.view(y.shape[0], 4, 16, -1))


@pytest.mark.parametrize("net", [Rows, lambda: nn.Unflatten(2, (8, -1))])
def test_a_constant_number_of_rows_is_decided(net: Callable[[], nn.Module]) -> None:
    contract = shapelint.check(net, "1,3,H,W").contract
    assert contract.proved
    for size in [(31, 40), (32, 32), (32, 40), (40, 40), (8, 24), (7, 16), (3, 64), (1, 1)]:
        said = contract.outcome(**dict(zip("HW", size, strict=True)))
        assert (said.outputs if said.ok else None) == _seen(net, size)
    assert (32, 40) in contract.restores or net is not Rows


def _seen(net: Callable[[], nn.Module], size: tuple[int, ...]) -> tuple[tuple[int, ...], ...] | None:
    try:
        return run(net(), (1, 3, *size))
    except RuntimeError:
        return None


class Decimated(nn.Module):
    """Wave-U-Net goes down by taking every second sample; `rotary` does the same to features, which are no map."""

    def __init__(self, *, rotary: bool = False) -> None:
        super().__init__()
        self.first, self.last = nn.Conv1d(1, 8, 15, padding=7), nn.Conv1d(8, 1, 5, padding=2)
        self.mix, self.rotary = nn.Linear(8, 8), rotary

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x)
        if self.rotary:
            tokens = self.mix(y.transpose(1, 2))
            turned = torch.stack((-tokens[..., 1::2], tokens[..., ::2]), -1).flatten(-2)
            return self.last((tokens + turned).transpose(1, 2))  # type: ignore[no-any-return]
        return self.last(F.interpolate(y[..., ::2], scale_factor=2, mode="linear"))  # type: ignore[no-any-return]


def test_every_second_sample_is_a_down_sampling() -> None:
    report = shapelint.check(Decimated, (1, 1, 101))
    assert [finding.message for finding in report.findings] == [
        "`interpolate` gives back 102 where `slice` took 101"
    ]
    assert report.findings[0].fix is not None
    assert "interpolate(y, size=x.shape[-1:])" in report.findings[0].fix.title
    (pair,) = shapelint.check(Decimated, (1, 1, 100)).pairs
    assert (pair.size_in, pair.size_out) == ((100,), (100,))


def test_every_second_feature_is_none() -> None:
    report = shapelint.check(lambda: Decimated(rotary=True), (1, 1, 101))
    assert (report.ok, report.pairs) == (True, ())


class Table(nn.Module):
    """A table of positions for 64 tokens; the tensor has a name in the model."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.positions = nn.Conv2d(3, 8, 8, 8), nn.Parameter(torch.zeros(1, 65, 8))

    def forward(self, x: Tensor) -> Tensor:
        return self.embed(x).flatten(2).transpose(1, 2) + self.positions[:, 1:]  # type: ignore[no-any-return]


def test_a_table_is_called_by_its_name() -> None:
    (finding,) = shapelint.check(Table, (1, 3, 96, 96)).findings
    assert finding.message == "`positions` is for 64 positions, and 96x96 has 144"


class Quartered(nn.Module):
    """Up-sampled once too often: nothing that is fed makes the skip fit."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 48, 2, 2), nn.PixelShuffle(4)

    def forward(self, x: Tensor) -> Tensor:
        skips = [x]
        return self.up(self.down(x)) + skips.pop()  # type: ignore[no-any-return]


def test_nobody_is_told_to_pad_where_no_size_runs() -> None:
    (finding,) = shapelint.check(Quartered, (1, 3, 96, 96)).findings
    assert finding.fix is not None
    assert finding.fix.title == "`stride=4` instead of 2 in `down` makes the sizes fit"


class Conditioned(nn.Module):
    """A diffusion U-Net: each block is told the time, and attends to a text; neither is a map."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.time, self.text = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(1, 4), nn.Linear(5, 4)
        self.down, self.up = nn.Conv2d(4, 4, 4, 2, 1), nn.ConvTranspose2d(4, 4, 4, 2, 1)
        self.attention, self.last = nn.MultiheadAttention(4, 1, batch_first=True), nn.Conv2d(8, 3, 1)

    def told(self, x: Tensor, time: Tensor, text: Tensor) -> Tensor:
        x = x * self.time(time[:, None])[:, :, None, None]
        tokens, words = x.flatten(2).transpose(1, 2), self.text(text)
        return x + self.attention(tokens, words, words)[0].transpose(1, 2).reshape(x.shape)  # type: ignore[no-any-return]

    def forward(self, x: Tensor, time: Tensor, text: Tensor) -> Tensor:
        x = self.told(self.first(x), time, text)
        y = self.up(self.told(self.down(x), time, text))
        return self.last(torch.cat([self.told(y, time, text), x], 1))  # type: ignore[no-any-return]


def test_layers_that_are_told_something_are_paired_all_the_same() -> None:
    others: list[object] = [(2,), (2, 7, 5)]
    (pair,) = shapelint.check(Conditioned, [(2, 3, 8, 8), *others]).pairs
    assert (pair.down, pair.up) == (("down",), ("up",))
    (finding,) = shapelint.check(Conditioned, [(2, 3, 9, 8), *others]).findings
    assert finding.message == "`cat` joins 8x8 from `up` with 9x8 from `first`"
    assert "`down` took 9x8, `up` gives back 8x8" in finding.notes
    assert finding.fix is not None
    assert finding.fix.assignments == {"up.output_padding": (1, 0)}


class Rounding(nn.Module):
    """A codec that pads up to its stride, with a helper that adds for short inputs and cuts that off again."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.deeper = nn.Conv1d(1, 2, 4, 2), nn.Conv1d(2, 2, 8, 4)
        self.wide, self.up = nn.ConvTranspose1d(2, 2, 8, 4), nn.ConvTranspose1d(2, 1, 4, 2)

    def encoded(self, x: Tensor, layer: nn.Conv1d) -> Tensor:
        kernel, stride = layer.kernel_size[0], layer.stride[0]
        wanted = -(-x.shape[-1] // stride) * stride + kernel - stride
        short = max(0, kernel - x.shape[-1])
        x = F.pad(x, (0, short))
        return layer(F.pad(x, (0, wanted - x.shape[-1]))[..., : wanted if short else None])  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        y = self.encoded(self.encoded(x, self.down), self.deeper)
        return self.up(self.wide(y)[..., :-4])[..., :-2]  # type: ignore[no-any-return]


def test_what_comes_back_too_long_is_cropped() -> None:
    first, second = shapelint.check(Rounding, (1, 1, 801)).findings
    assert first.message == "`wide` gives back 404 where `deeper` took 401"
    assert second.message == "`up` gives back 808 where `down` took 801"
    assert "nearest to 801 that restore: 800 and 808" in first.notes
    assert any("pad the input to multiples of 8 and crop the output" in note for note in first.notes)
    assert all(each.fix is not None and each.fix.title.startswith("crop what `") for each in (first, second))


def test_what_is_meant_is_told_by_sizes_without_an_end() -> None:
    assert [shapelint.check(Rounding, spec).contract.meant for spec in ("1,1,L", "1,1,801")] == [True, True]
