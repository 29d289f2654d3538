"""Right models broken in one place: which call is blamed, what is written, and what eager PyTorch then gives."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import shapelint
from shapelint.edit.document import texts
from shapelint.facts.finding import Finding
from shapelint.report.report import Report
from tests.drawn.load import load_path

PADDED = """
    def __init__(self):
        super().__init__()
        self.stem, self.head = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 3, 3, padding=1)
        self.down, self.up = nn.Conv2d(4, 4, 8, stride=8), nn.ConvTranspose2d(4, 4, 8, stride=8)

    def forward(self, x):
        h, w = x.shape[-2:]
        y = self.stem({})
        return self.head(self.up(self.down(y))){}
"""

AUTOENCODER = """
    def __init__(self):
        super().__init__()
        self.e1, self.e2, self.e3 = nn.Conv2d(3, 4, 4, 2, 1), nn.Conv2d(4, 4, 4, 2, 1), nn.Conv2d(4, 4, 4, 2, 1{})
        self.d3, self.d2 = nn.ConvTranspose2d(4, 4, 4, 2, 1), nn.ConvTranspose2d(4, 4, 4, {}, 1)
        self.d1 = nn.ConvTranspose2d(4, 3, 4, 2, 1)

    def forward(self, x):
        return self.d1(self.d2(self.d3(self.e3(self.e2(self.e1(x))))))
"""

UNET = """
    def __init__(self):
        super().__init__()
        self.e1, self.e2, self.e3 = (nn.Conv2d(i, 4, 3, 2, 1) for i in (3, 4, 4))
        self.d3, self.d2, self.d1 = (Up() for _ in range(3))

    def forward(self, x):
        e1 = self.e1(x)
        e2 = self.e2(e1)
        d2 = self.d3(self.e3(e2)) + e2
        return self.d1(self.d2(d2) + e1)


class Up(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(4, 4, 1, stride={}), nn.ConvTranspose2d(4, 4, 4, stride=2, padding=1))
"""

VAE = """
    def __init__(self, latent=8, size=32):
        super().__init__()
        self.size = size // 4
        self.conv1, self.conv2 = nn.Conv2d(3, 6, 4, 2, 1), nn.Conv2d(6, 12, 4, 2, 1, dilation={})
        self.fc, self.back = nn.Linear(12 * self.size**2, latent), nn.Linear(latent, 12 * self.size**2)
        self.up2, self.up1 = nn.ConvTranspose2d(12, 6, 4, 2, 1), nn.ConvTranspose2d(6, 3, 4, 2, 1)

    def forward(self, x):
        y = self.back(self.fc(self.conv2(self.conv1(x)).flatten(1)))
        return self.up1(self.up2(y.view(-1, 12, self.size, self.size)))
"""

CODED = """
    def __init__(self):
        super().__init__()
        self.e1, self.e2 = nn.Conv2d(6, 8, 4, stride=4), nn.Conv2d(8, 8, 4)
        self.d2, self.d1 = nn.ConvTranspose2d(16, 8, 4), nn.ConvTranspose2d(16, 3, 4, stride=4)

    def forward(self, code, face):
        f1 = self.e1(face)
        y = self.d2(torch.cat([code, self.e2(f1)], 1))
        return self.d1(torch.cat([y, f1], 1))
"""

HALVES = """
    def __init__(self):
        super().__init__()
        self.e = nn.Sequential(*(nn.Conv1d(1 if not k else 4, 4, 4, 2, 1) for k in range(7)))
        self.d = nn.Sequential(*(nn.ConvTranspose1d(4, 4 if s > 2 else 1, s, s) for s in (5, 5, 3, 2)))

    def forward(self, x):
        return self.d(self.e(x))
"""


def report(folder: Path, body: str, *specs: str) -> Report:
    """The report on a class with this body."""
    head = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n\nclass Net(nn.Module):"
    path = folder / "net.py"
    path.write_text(head + body)
    return shapelint.check(f"{path}:Net", list(specs))


def fixed(finding: Finding, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that eager PyTorch gives of the model as the fix writes it."""
    assert finding.fix is not None
    ((file, content),) = texts(finding.fix.edits).items()
    path = Path(file).with_name("fixed.py")
    path.write_bytes(content)
    return tuple(load_path(path).Net()(*map(torch.ones, shapes)).shape)


def test_a_pad_that_nothing_crops_is_blamed_and_the_crop_written(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, PADDED.format("F.pad(x, (0, -w % 8, 0, -h % 8))", ""), "1,3,45,70").findings
    assert finding.location is not None
    assert "F.pad" in finding.location.text()
    assert finding.notes[0] == "`pad` gives 48x72 of 45x70, and nothing after it makes up for that"
    assert fixed(finding, (1, 3, 45, 70)) == (1, 3, 45, 70)


def test_rows_that_a_pad_puts_before_are_cropped_there(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, PADDED.format("F.pad(x, (4, 4, 4, 4))", ""), "1,3,64,64").findings
    assert finding.fix is not None
    assert "[..., 4:4 + h, 4:4 + w]" in finding.fix.title
    assert fixed(finding, (1, 3, 64, 64)) == (1, 3, 64, 64)


def test_a_pad_that_takes_columns_off_is_blamed_and_no_layer_changed(tmp_path: Path) -> None:
    source = PADDED.format("F.pad(x, (0, w // 8 * 8 - w, 0, -h % 8))", "[..., :h, :w]")
    (finding,) = report(tmp_path, source, "1,3,45,70").findings
    assert (finding.code, finding.message) == ("SL106", "the output is 45x64 where the input is 45x70")
    assert finding.location is not None
    assert "F.pad" in finding.location.text()
    assert finding.fix is not None
    assert not finding.fix.assignments


HEAD = """
    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 4, 4, 2, 1), nn.ConvTranspose2d(4, 4, 4, 2, 1)
        self.pad, self.head = nn.ReflectionPad2d({}), nn.Conv2d(4, 3, {})

    def forward(self, x):
        return self.head(self.pad(self.up(self.down(x))))
"""


@pytest.mark.parametrize(("pad", "kernel", "blamed"), [(5, 7, "pad"), (3, 8, "head")])
def test_a_pad_and_the_layer_that_takes_it_off_are_one(tmp_path: Path, pad: int, kernel: int, blamed: str) -> None:
    (finding,) = report(tmp_path, HEAD.format(pad, kernel), "1,3,64,64").findings
    assert finding.module == blamed
    assert finding.fix is not None
    wanted = {"pad.padding": (3, 3, 3, 3)} if blamed == "pad" else {"head.kernel_size": (7, 7)}
    assert finding.fix.assignments == wanted
    assert fixed(finding, (1, 3, 64, 64)) == (1, 3, 64, 64)


@pytest.mark.parametrize(
    ("dilation", "stride", "change"),
    [(", dilation=2", 2, {"e3.dilation": (1, 1)}), ("", 1, {"d2.stride": (2, 2)})],
)
def test_the_argument_that_one_layer_has_otherwise_is_changed(
    tmp_path: Path, dilation: str, stride: int, change: dict[str, tuple[int, ...]]
) -> None:
    finding = report(tmp_path, AUTOENCODER.format(dilation, stride), "2,3,40,56").findings[0]
    assert finding.fix is not None
    assert finding.fix.assignments == change
    assert fixed(finding, (2, 3, 40, 56)) == (2, 3, 40, 56)


def test_one_text_that_builds_all_layers_at_fault_is_changed(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, UNET.format(2), "1,3,64,96").findings
    assert finding.message == "`add` joins strides 4 and 8: 16x24 from `e2`, 8x12 from `d3.1`"
    assert fixed(finding, (1, 3, 64, 96)) == (1, 4, 64, 96)


def test_a_dense_bottleneck_is_not_built_for_what_gives_another_size_back(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, VAE.format(2), "2,3,32,32").findings
    assert finding.fix is not None
    assert finding.fix.assignments == {"conv2.dilation": (1, 1)}
    assert fixed(finding, (2, 3, 32, 32)) == (2, 3, 32, 32)
    assert report(tmp_path, VAE.format(1), "2,3,32,32").ok


ROWS = """
    def __init__(self):
        super().__init__()
        self.fc, self.up = nn.Linear(5, 8 * 7 * 7), nn.ConvTranspose2d(8, 1, 4, 4)

    def forward(self, x):
        return self.up(self.fc(x).view(-1, {}, 7, 7))
"""


def test_a_view_that_makes_other_samples_is_blamed_and_no_layer_built_for_them(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, ROWS.format(16), "4,5").findings
    assert finding.message == "`up` is built for 8 channels and gets 16: `view` makes 2 samples of 4"
    assert fixed(finding, (4, 5)) == (4, 1, 28, 28)


def test_the_input_that_the_layers_take_is_the_one_that_is_meant(tmp_path: Path) -> None:
    assert report(tmp_path, CODED, "2,8,1,1", "2,6,16,16").ok


def test_totals_that_differ_are_told(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, HALVES, "1,1,3000").findings
    assert finding.message == "the output is 3450 where the input is 3000"
    assert any(note.startswith("the sizes go down by 128 and up by 150") for note in finding.notes)


def test_sizes_at_which_a_model_gives_fewer_outputs_are_no_bug_of_ours(tmp_path: Path) -> None:
    body = """
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 8, 3, 2, 1), nn.ConvTranspose2d(8, 3, 3, 2, 1, 1)

    def forward(self, x):
        y = self.a(x)
        return () if x.shape[-1] < 16 else (y.mean((2, 3)), self.b(y))
"""
    found = report(tmp_path, body, "1,3,31,31")
    assert [finding.code for finding in found.findings] == ["SL101"]
    assert report(tmp_path, body, "1,3,12,12").ok


def test_a_crop_behind_resizes_that_only_some_sizes_need_is_found_at_a_size_that_needs_none(tmp_path: Path) -> None:
    body = """
    def __init__(self):
        super().__init__()
        self.downs, self.up = nn.ModuleList([nn.Conv1d(3, 3, 2, 2) for _ in range(3)]), nn.Upsample(scale_factor=2)

    def forward(self, x):
        skips = []
        for down in self.downs:
            skips.append(x)
            x = down(x)
        for skip in reversed(skips):
            x = self.up(x)
            if x.size(-1) != skip.size(-1):
                x = F.interpolate(x, size=skip.shape[2:])
        return x.narrow(2, 0, max(x.shape[2] - 1, 1))
"""
    (finding,) = (each for each in report(tmp_path, body, "1,3,L").findings if each.code == "SL106")
    assert finding.notes[0] == "`narrow` gives 63 of 64, and nothing after it makes up for that"


@pytest.mark.parametrize("extra", [0, 1])
def test_a_layer_that_mirrors_another_gets_its_output_padding_and_not_another_kernel(
    tmp_path: Path, extra: int
) -> None:
    source = AUTOENCODER.format("", 2).replace("self.e1, self.e2, self.e3 = nn.Conv2d(3, 4, 4, 2, 1)",
        "self.e1, self.e2, self.e3 = nn.Conv2d(3, 4, 7, 3, 3)")  # fmt: skip
    source = source.replace("nn.ConvTranspose2d(4, 3, 4, 2, 1)", f"nn.ConvTranspose2d(4, 3, 7, 3, 3, {extra})")
    (finding,) = report(tmp_path, source, "1,3,48,48").findings
    assert finding.fix is not None
    assert (finding.code, finding.fix.title) == ("SL101", "set `output_padding=2` in `d1`")
    assert fixed(finding, (1, 3, 48, 48)) == (1, 3, 48, 48)
