"""A .pt2 file as a target: its guards belong to the contract, its layers have their names, and nothing in it runs."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch._higher_order_ops.map import map as higher_order_map
from torch.nn import functional

import shapelint
from shapelint.cli.app import run
from shapelint.errors import TargetError
from tests.exported_programs import differences, exported, rewritten

IMAGE = (torch.zeros(1, 3, 64, 64),)
OPEN = {"dynamic_shapes": ({2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO},)}
SIZES = [{"H": h, "W": w} for h, w in ((1, 5), (2, 2), (3, 4), (6, 6), (25, 32), (64, 64), (33, 70))]


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.deconv = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.deconv(self.conv(image))  # type: ignore[no-any-return]


class Mixed(nn.Module):
    """Arithmetic on sizes, a layer that is called twice, resizes, a crop and a pad."""

    def __init__(self) -> None:
        super().__init__()
        self.pool, self.norm = nn.MaxPool2d(2), nn.BatchNorm2d(3)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        height, width = image.shape[2:]
        small = self.norm(self.pool(self.pool(image)))
        large = functional.interpolate(small, size=(height, width), mode="bilinear", align_corners=False)
        padded = functional.pad(image, (0, 1, 2, height % 4))
        return torch.cat([large, image], 1), padded[:, :, 1:].flatten(2)


def test_the_founding_example_is_found_in_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent.parent)
    file = exported(Net(), IMAGE, tmp_path / "net.pt2", **OPEN)
    report = shapelint.check(file, "1,3,6,6", confirm=("cpu",))
    finding = report.findings[0]
    assert (finding.code, finding.module) == ("SL101", "deconv")
    assert finding.message == "`deconv` gives back 5x5 where `conv` took 6x6"
    assert finding.location is not None
    assert finding.location.text().strip() == "return self.deconv(self.conv(image))  # type: ignore[no-any-return]"
    assert finding.fix is not None
    assert (str(finding.fix.safety), dict(finding.fix.assignments)) == ("advice", {"deconv.output_padding": (1, 1)})
    assert report.remarks == ("not confirmed: a .pt2 file is read and not run, since torch unpickles what it loads",)


@pytest.mark.parametrize("model", [Net, Mixed])
@pytest.mark.parametrize("sizes", ["open", "fixed"])
def test_the_contract_is_what_the_program_does(model: type[nn.Module], sizes: str, tmp_path: Path) -> None:
    file = exported(model(), IMAGE, tmp_path / "net.pt2", **(OPEN if sizes == "open" else {}))
    wrong, unknown = differences(file, SIZES)
    assert not wrong + unknown


def test_what_export_wrote_down_about_the_inputs_belongs_to_the_contract(tmp_path: Path) -> None:
    """The exporter takes no image of one row, and 99 rows at most, though the model takes any."""
    dims = {"dynamic_shapes": ({2: torch.export.Dim("h", min=4, max=99)},)}
    file = exported(Net(), IMAGE, tmp_path / "net.pt2", **dims)
    report = shapelint.check(file)
    assert str(report.contract.runs) == "H from 4 to 99"
    assert report.contract.outcome(H=100).error == "AssertionError: Guard failed: image.size()[2] <= 99"


def test_no_pickle_of_a_file_is_opened(tmp_path: Path) -> None:
    """torch.export.load would run this: its fallback for sample inputs is `weights_only=False`."""
    file = Path(exported(Net(), IMAGE, tmp_path / "net.pt2", **OPEN))
    trap, sprung = tmp_path / "trap.pt2", tmp_path / "sprung"

    class Trap:
        def __reduce__(self) -> Any:
            return Path.touch, (sprung,)

    with zipfile.ZipFile(file) as archive, zipfile.ZipFile(trap, "w") as other:
        for name in archive.namelist():
            hostile = name.endswith((".pt", "weight_0"))
            other.writestr(name, pickle.dumps(Trap()) if hostile else archive.read(name))
    assert str(shapelint.check(str(trap)).contract.restores) == str(shapelint.check(str(file)).contract.restores)
    assert not sprung.exists()


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"torch.ops.aten.conv2d.default"', '"torch.hub.load"', "the function `torch.hub.load` is not known here"),
        ('"torch.ops.aten.conv2d.default"', '"torch.ops.mine.conv.default"',
         "the function `torch.ops.mine.conv.default` is not known here"),
        ('"guards_code": [', '"guards_code": ["__import__(\'os\').mkdir(\'sprung\') is None", ',
         "the file's own guard `__import__('os').mkdir('sprung') is None` is not followed"),
    ],
)  # fmt: skip
def test_names_and_guards_of_a_file_are_data(
    old: str, new: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = exported(Net(), IMAGE, tmp_path / "net.pt2", **OPEN)
    report = shapelint.check(rewritten(file, lambda text: text.replace(old, new)), "1,3,16,16")
    assert report.contract.outcome(H=16, W=16).ok is None
    assert why in {region.why for region in report.contract.regions}
    assert [each.code for each in report.findings] == ["SL900"]
    assert not Path("sprung").exists()


def test_files_that_are_no_programs_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "model.pt2"
    for data in (b"", b"no zip at all", b"PK\x03\x04" + bytes(60)):
        file.write_bytes(data)
        assert run(["check", str(file)]) == 2
        assert capsys.readouterr().err == f"shapelint: {str(file)!r} is no .pt2 file, or a damaged one\n"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(TargetError, match="holds no exported programs; one is looked for"):
        shapelint.check(str(file))
    for text in ("{}", "[" * 100_000, "not json", '{"graph_module": 7}'):
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("model/models/model.json", text)
        with pytest.raises(TargetError, match=r"is a damaged \.pt2 file"):
            shapelint.check(str(file))


def test_every_truncation_is_one_line(tmp_path: Path) -> None:
    file = Path(exported(Net(), IMAGE, tmp_path / "net.pt2", **OPEN))
    data = file.read_bytes()
    for length in range(0, len(data), len(data) // 12):
        file.write_bytes(data[:length])
        with pytest.raises(TargetError, match=r"is no \.pt2 file, or a damaged one"):
            shapelint.check(str(file))


class Way(nn.Module):
    """A way that the data decide, and one that a size decides."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = torch.cond(x.sum() > 0, lambda y: y + 1, lambda y: y - 1, [x])
        return torch.cond(x.shape[1] > 5, lambda y: y.relu(), lambda y: y.sin(), [first])  # type: ignore[no-any-return]


class Rows(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return higher_order_map(lambda row: row.relu()[1:], x)  # type: ignore[no-any-return]


class Pairs(nn.Module):
    """Its guards divide a size by a size."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.view(x.shape[0], x.shape[1] // 2, 2)


@pytest.mark.parametrize("kind", [Way, Rows, Pairs])
def test_ways_rows_and_guards_that_divide_are_followed(kind: type[nn.Module], tmp_path: Path) -> None:
    shapes = {"dynamic_shapes": ({0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC},)}
    file = exported(kind(), (torch.zeros(3, 8),), tmp_path / "net.pt2", **shapes)
    points = [{"N": 3, "S1": 8}, {"N": 2, "S1": 3}, {"N": 1, "S1": 4}, {"N": 3, "S1": 2}, {"N": 5, "S1": 12}]
    assert differences(file, points) == ([], [])
    assert shapelint.check(file).contract.proved
