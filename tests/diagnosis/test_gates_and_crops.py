"""Gates, crops, tokens and second outputs beside the map at fault: they are neither its cause nor mended for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnosis.test_at_fault import fixed, report

GATED = """
    def __init__(self):
        super().__init__()
        self.downs = nn.ModuleList(nn.Conv2d(i, o, 2, 2) for i, o in ((3, 4), (4, 4), (4, 4)))
        self.ups = nn.ModuleList(nn.ConvTranspose2d(4, o, 2, 2) for o in (4, 4, 3))
        self.gates = nn.ModuleList(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 4, 1)) for _ in range(3))

    def forward(self, x):
        h, w = x.shape[-2:]
        x = F.pad(x, (0, -w % 4, 0, -h % 4))
        skips = []
        for down, gate in zip(self.downs, self.gates):
            skips.append(x)
            x = down(x)
            x = x * gate(x)
        for up, skip in zip(self.ups, skips[::-1]):
            x = up(x) + skip
        return x[..., :h, :w]
"""

NORMED = """
    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 32, 4, 4), nn.LayerNorm(16)

    def forward(self, x):
        return self.norm(self.conv(x).permute(0, 2, 3, 1))
"""

WEIGHED = """
    def __init__(self):
        super().__init__()
        self.down, self.mask = nn.Conv2d(3, 16, 8, 8), nn.Conv2d(16, 288, 1)

    def forward(self, x):
        y = self.down(x)
        n, _, h, w = y.shape
        y = self.mask(y).view(n, 9, 8, 8, h, w).sum(1)
        return y.permute(0, 3, 1, 4, 2).reshape(n, 1, 8 * h, 8 * w)
"""

CROPPED = """
    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(1, 4, 1)
        self.layers = nn.ModuleList(nn.Conv1d(4, 4, 2, dilation=2 ** i) for i in range(3))

    def forward(self, x):
        x = self.first(x)
        for layer in self.layers:
            y = torch.tanh(layer(x))
            x = y + x[:, :, :-y.size(2)]
        return x
"""

MODULATED = """
    def __init__(self):
        super().__init__()
        self.conv, self.film = nn.Conv2d(3, 16, 3, padding=1), nn.Linear(8, {})
        self.out = nn.Conv2d(16, 3, 1)

    def forward(self, x, z):
        scale, shift = self.film(z).chunk(2, 1)
        y = self.conv(x)
        y = {}
        return self.out(F.relu(y))
"""

CACHED = """
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(8, 8, 3)
        self.register_buffer("cache", torch.zeros(1, 4, 2))

    def forward(self, x):
        return self.conv(torch.cat([self.cache.expand(x.shape[0], -1, -1), x], 2))
"""

PATHS = """
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 16, 3, 2, 1)
        self.smooth, self.last = nn.Conv2d(24, 8, 3, 1, 1), nn.Conv2d(24, 8, 3, 1, 1)
        self.down = nn.Conv2d(8, 8, 3, {}, 1)
        self.heads = nn.ModuleList(nn.Conv2d(8, 4, 1) for _ in range(2))

    def forward(self, x):
        fine = self.one(x)
        coarse = self.two(fine)
        fine = self.smooth(torch.cat([F.interpolate(coarse, scale_factor=2), fine], 1))
        coarse = self.last(torch.cat([{}, coarse], 1))
        return self.heads[0](fine), self.heads[1](coarse)
"""

CUT_SHORT = """
    def __init__(self):
        super().__init__()
        self.e, self.f = nn.Conv2d(3, 8, 4, 2, 1), nn.Conv2d(8, 16, 4, 2, 1)
        self.g, self.h = nn.ConvTranspose2d(16, 8, 3, 2, 1), nn.ConvTranspose2d(8, 3, 4, 2, 1)

    def forward(self, x):
        h, w = x.shape[2:]
        padded = F.pad(x, (0, -w % 64, 0, -h % 64))
        return self.h(self.g(self.f(self.e(padded))))[:, :, :h, :w] + x
"""


def test_a_gate_of_one_value_is_no_step_of_the_layers(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, GATED, "1,3,70,90").findings
    assert (finding.code, finding.message) == ("SL204", "`pad` makes it 72x92, where the layers need multiples of 8")
    assert not report(tmp_path, GATED.replace("% 4", "% 8"), "1,3,70,90").findings


def test_a_map_as_wide_as_a_norm_has_features_is_not_turned_again(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, NORMED, "1,3,64,64").findings
    assert finding.fix is not None
    assert finding.fix.title == "write `nn.LayerNorm(32)`"
    assert fixed(finding, (2, 3, 64, 64)) == (2, 16, 16, 32)


def test_no_kernel_is_padded_by_more_than_it_spans(tmp_path: Path) -> None:
    for finding in report(tmp_path, WEIGHED, "1,3,64,96").findings:
        assert finding.fix is None or not finding.fix.edits  # 2 around the kernel of 1 would fit 64x96 alone


def test_a_crop_that_keeps_the_wrong_end_is_named_and_nothing_resized(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, CROPPED, "1,1,64").findings
    assert finding.fix is not None
    assert finding.fix.title == "let the crop keep 61 of the 63 that it takes: it keeps 2"


@pytest.mark.parametrize(
    ("count", "returned", "title"),
    [
        (32, "scale * y + shift", "give what `film` gives the axes of the other: `[:, :, None, None]`"),
        (16, "scale[:, :, None, None] * y", "give both as many channels: `film` gives 8 and `conv` gives 16"),
    ],
)
def test_a_vector_that_modulates_a_map_is_not_what_the_map_is_resized_to(
    count: int, returned: str, title: str, tmp_path: Path
) -> None:
    (finding,) = report(tmp_path, MODULATED.format(count, returned), "1,3,64,64", "1,8").findings
    assert finding.fix is not None
    assert (finding.fix.safety.value, finding.fix.edits, finding.fix.title) == ("advice", (), title)


def test_rows_of_unlike_channels_are_told_by_these(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, CACHED, "1,8,20").findings
    assert finding.message == "`cat` joins 1x4x2 from `cache` with 1x8x20 from `input`"
    assert finding.fix is not None
    assert finding.fix.title.startswith("give both as many channels")


def test_the_layer_that_gives_a_join_its_map_gets_the_step_and_no_other(tmp_path: Path) -> None:
    finding = next(each for each in report(tmp_path, PATHS.format(1, "self.down(fine)"), "1,3,64,64").findings)
    assert finding.fix is not None
    assert finding.fix.assignments == {"down.stride": (2, 2)}


def test_what_is_resized_is_the_map_at_the_join(tmp_path: Path) -> None:
    pooled = "F.max_pool2d(F.pad(fine, (1, 1, 1, 1)), 2)"
    (finding,) = report(tmp_path, PATHS.format(2, pooled), "1,3,64,64").findings
    assert finding.fix is not None
    assert "what `max_pool2d` gives" in finding.fix.title


def test_what_a_crop_gets_too_little_of_is_not_stretched(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, CUT_SHORT, "1,3,128,128").findings
    assert finding.fix is not None
    assert finding.fix.title == "set `output_padding=1` in `g`"
    assert fixed(finding, (2, 3, 130, 90)) == (2, 3, 130, 90)


def test_a_causal_layer_that_nothing_crops_lacks_the_crop_and_no_kernel(tmp_path: Path) -> None:
    source = """
    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv1d(4, 4, {}, padding={} * d, dilation=d) for d in (2, 4, 8))

    def forward(self, x):
        for conv in self.convs:
            x = x + F.relu(conv(x)){}
        return x
"""
    for kernel in (2, 3):
        (finding,) = report(tmp_path, source.format(kernel, kernel - 1, ""), "2,4,50").findings
        assert finding.fix is not None
        rows, crop = 2 * (kernel - 1), "`y[..., :x.shape[-1]]`"
        told = f"cut the last {rows} rows off behind `convs.0`, as behind a causal layer: {crop}"
        assert (finding.fix.title, finding.fix.edits) == (told, ())
        assert not report(tmp_path, source.format(kernel, kernel - 1, "[..., :x.shape[-1]]"), "2,4,50").findings
