"""The HTML page: one golden file, its structure, what it escapes, and how a browser and a screen reader get it."""

from __future__ import annotations

import pickle
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as Tree

import click
import pytest

import shapelint
from shapelint.cli.app import run
from shapelint.facts.finding import Fix, Repair, Safety
from shapelint.facts.picture import DrawnChange, Role
from shapelint.report import html, sizes
from shapelint.report.network.hourglass import hourglass
from shapelint.report.network.stations import stations
from shapelint.report.report import Report
from shapelint.report.sizemap.size_map import Fit, size_map, ticks, windows
from shapelint.report.sizemap.terminal_map import ASCII, map_lines
from shapelint.source.span import Edit, Span
from tests.fabricated import CLEAN, DRAWN, MODEL, PICTURE, SEVERAL
from tests.report.test_report import golden

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
HOSTILE = "<script>alert('x')</script>&\"\x00`<img src=//evil>`"


@pytest.fixture(autouse=True)
def _model_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mymodel.py").write_text(MODEL)


def parsed(page: str) -> Tree.Element:
    """The page as XML, which it is too: every element is closed and every ampersand is escaped."""
    return Tree.fromstring(page)


def texts(page: str) -> str:
    return " ".join("".join(parsed(page).itertext()).split())


def checked(file: str, *spec: str) -> Report:
    return shapelint.check(f"{EXAMPLES / file}:Net", list(spec), picture=True)


def test_the_page_of_the_founding_example() -> None:
    golden("drawn.html", html.render((DRAWN,)))


@pytest.mark.parametrize("reports", [(), (DRAWN,), (SEVERAL, CLEAN), (DRAWN, DRAWN)])
def test_a_page_is_one_file_that_asks_nobody(reports: tuple[Report, ...]) -> None:
    page = html.render(reports)
    root = parsed(page)
    assert "://" not in page
    assert "@import" not in page
    assert not {each.tag for each in root.iter()} & {"script", "link", "img", "iframe", "object", "base"}
    assert all(each.startswith("#") for each in re.findall(r"url\(([^)]*)\)", page))
    names = [each.get("id") for each in root.iter() if each.get("id")]
    assert len(names) == len(set(names))
    known = set(names)
    for element in root.iter():
        assert known >= set((element.get("aria-labelledby") or "").split())


def test_every_finding_is_told_as_in_the_text() -> None:
    found = texts(html.render((SEVERAL,)))
    for finding in SEVERAL.findings:
        assert finding.message.replace("`", "") in found
        assert f"{finding.code} {finding.name}" in found
        assert all(note.replace("`", "") in found for note in finding.notes)
    assert "set output_padding=1 in deconv: even sizes come back right" in found
    assert "self.deconv = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)" in found
    assert SEVERAL.remarks[0].replace("`", "") in found.replace("`", "")


def test_how_each_region_was_decided_is_told() -> None:
    found = texts(html.render((SEVERAL,)))
    assert "sampled: fft2 has no rule" in found
    assert "unknown: it raises KeyError" in found
    assert "not proved for every size" in found


def test_nothing_that_a_user_gives_becomes_markup() -> None:
    finding = replace(DRAWN.findings[0], message=HOSTILE, notes=(HOSTILE,), module=HOSTILE)
    steps = tuple(replace(step, name=HOSTILE, kind=HOSTILE, module=HOSTILE) for step in PICTURE.now.steps)
    pair = replace(PICTURE.now.pairs[0], down=(HOSTILE,), up=(HOSTILE,))
    marks = tuple(replace(mark, text=f"x 1 {HOSTILE}") for mark in PICTURE.now.marks)
    scene = replace(PICTURE.now, steps=steps, pairs=(pair,), marks=marks)
    picture = replace(PICTURE, now=scene, repaired=scene, changes={HOSTILE: DrawnChange(Repair.CODE, HOSTILE)})
    report = replace(DRAWN, target=HOSTILE, inputs=(HOSTILE,), findings=(finding,), picture=picture, remarks=(HOSTILE,))
    page = html.render((report,))
    tags = {each.tag for each in parsed(page).iter()}
    assert not tags & {"script", "img"}
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_picture_names_the_layer_and_what_to_write() -> None:
    found = texts(html.render((DRAWN,)))
    assert "deconv gives back 5x5 where conv took 6x6 → write output_padding=1" in found
    assert "deconv gives back the 6x6 that conv took with output_padding=1" in found
    assert "deconv · ConvTranspose2d · mymodel.py:8:23" in found
    assert "stride=2 · takes 6x6, gives 3x3 = (H + 1)//2 x (W + 1)//2" in found


def test_the_keyboard_reaches_what_is_marked_and_both_views() -> None:
    root = parsed(html.render((DRAWN,)))
    labels = [each.get("aria-label") or "" for each in root.iter("g") if each.get("tabindex") == "0"]
    assert len([label for label in labels if label.startswith("deconv")]) == 2
    assert [each.get("type") for each in root.iter("input")] == ["radio", "radio"]
    drawings = [each for each in root.iter("svg") if each.get("role")]
    assert all(each.get("aria-labelledby") for each in drawings)
    assert {each.get("role") for each in drawings} == {"group", "img"}


def test_the_map_says_what_the_contract_says() -> None:
    report = checked("unet65.py", "1,3,65,65")
    (window,) = windows(report, (64, 64), alone=64)
    found = size_map(report, window)
    assert window.across == ("W", range(41, 89))
    restoring = {
        (41 + row, 41 + column)
        for row, kinds in enumerate(found.rows)
        for column, kind in enumerate(kinds)
        if kind.fit is Fit.RESTORES
    }
    assert restoring == {(height, width) for height in (48, 64, 80) for width in (48, 64, 80)}
    assert found.asked == ((24, 24),)
    assert found.rows[24][24].text == f"raises in `cat` with `up.3` ({EXAMPLES / 'unet65.py'}:35:23)"


@pytest.mark.parametrize(
    ("file", "spec"), [("codec.py", "1,1,32000"), ("unet65.py", "1,3,H,W"), ("net3d.py", "1,4,155,240,240")]
)
def test_the_map_of_the_terminal_fits_80_columns(file: str, spec: str) -> None:
    report = shapelint.check(f"{EXAMPLES / file}:Net", spec)
    lines = list(map(click.unstyle, map_lines(report)))
    assert max(map(len, lines)) <= 80
    assert [len(line) for line in lines] == [len(click.unstyle(line)) for line in map_lines(report, signs=ASCII)]
    assert all(click.unstyle(line).isascii() for line in map_lines(report, signs=ASCII))
    assert "\x1b[" in sizes.render(report, colour=True)
    assert click.unstyle(sizes.render(report, colour=True)) == sizes.render(report)


def test_a_window_holds_a_size_that_is_right_where_one_is_near() -> None:
    Path("pinned.py").write_text(
        "from torch import nn\n"
        "class Net(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.conv, self.head = nn.Conv2d(3, 1, 3, stride=2, padding=1), nn.Linear(100 * 100, 10)\n"
        "    def forward(self, x):\n"
        "        return self.head(self.conv(x).flatten(1))\n"
    )
    report = shapelint.check("pinned.py:Net", "1,3,260,260", picture=True)
    (far,) = windows(report, (64, 64), alone=1000)
    assert not report.contract.runs & far.box(("H", "W"))
    (window,) = windows(report, (64, 64), alone=1000, reach=192)
    shown = window.box(("H", "W"))
    assert report.contract.runs & shown
    assert {"H": 260, "W": 260} in shown
    assert len(window.across[1]) <= 192
    assert "head" in {name.text for name in hourglass(report.picture).names if "raises" in name.kind}
    open_report = shapelint.check("pinned.py:Net", "N,3,H,W")  # nobody has asked for a size
    (moved,) = windows(open_report, (20, 64), alone=1000)
    assert open_report.contract.runs & moved.box(("N", "H", "W"))


def test_a_map_has_numbers_beside_it_also_where_no_multiple_of_the_period_is_in_it() -> None:
    assert ticks(range(1, 65), 16) == (16, 32, 48, 64)
    assert ticks(range(140, 204), 128) == ticks(range(140, 204))
    assert len(ticks(range(140, 204))) > 1


def test_the_shapes_of_every_line_stand_below_the_network() -> None:
    page = html.render((checked("unet65.py", "1,3,65,65"),))
    found = texts(page)
    assert "30 skips = [self.down[0](image)] 1,16,H,W" in found
    assert "^ cat fits only for: H and W multiples of 16" in found
    starts = [each.get("style") for each in parsed(page).iter() if each.get("class") == "start"]
    assert starts == ["left:90%", "left:88%"]  # a narrow window begins at the join that raises, or what is changed


def test_what_a_raise_leaves_unrun_is_drawn_as_such() -> None:
    report = checked("unet65.py", "1,3,100,100")
    assert report.picture is not None
    scene = report.picture.now
    roles = {scene.steps[mark.step].name: mark.role for mark in scene.marks}
    assert roles == {"pool, call 3": Role.DROPS, "up.1": Role.MISSES, "cat": Role.RAISES}
    assert [station.size for station in stations(scene)][:7] == [(n, n) for n in (100, 50, 25, 12, 6, 12, 24)]
    drawing = hourglass(report.picture, told={"up.2"})
    assert {"up.1", "cat", "down.2.3", "up.2"} <= {name.text for name in drawing.names}  # up.2 was not run
    assert [arc.text for arc in drawing.arcs if arc.bad] == ["25x25 and 24x24 do not fit"]
    assert any("ghost" in shape.kind for shape in drawing.shapes)
    repaired = hourglass(report.picture, repaired=True)
    assert not any("ghost" in shape.kind for shape in repaired.shapes)
    assert len(repaired.arcs) == len(drawing.arcs) == 4
    fix, written = report.findings[0].fix, report.picture.changes["up.1"].text
    assert fix is not None
    assert f"`{written}`" in fix.title
    assert f"up.1 gives back 24x24 where pool, call 3 took 25x25 → write {written}" in texts(html.render((report,)))
    assert str(report.picture.restores) == "H and W at least 16"


PYRAMID = """
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList(nn.Conv2d(3, 3, 3, stride=2, padding=1) for _ in range(3))

    def forward(self, x):
        maps = []
        for down in self.down:
            x = down(x)
            maps.append(x)
        for level in (1, 0):
            maps[level] = maps[level] + F.interpolate(maps[level + 1], scale_factor=2)
        return maps
"""


def test_of_levels_that_fit_and_sizes_that_nobody_meant_to_restore_no_fix_is_told() -> None:
    Path("pyramid.py").write_text(PYRAMID)
    report = shapelint.check("pyramid.py:Net", "1,3,14,14", picture=True)
    page = texts(html.render((report,)))
    assert [each.code for each in report.findings] == ["SL201"]
    assert page.count("interpolate gives back the 4x4 that down.2 took") == 2
    assert page.count("interpolate gives back the 4x4 that down.2 took with F.interpolate(") == 1  # with the fix
    assert "runs for: every size" in page
    assert "restores the size" not in page


def test_a_model_that_refuses_its_input_is_drawn_as_it_would_run() -> None:
    Path("guarded.py").write_text(
        "from torch import nn\n"
        "class Net(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.down, self.up = nn.MaxPool2d(2), nn.Upsample(scale_factor=2)\n"
        "    def forward(self, x):\n"
        "        if x.shape[2] % 2 or x.shape[3] % 2:\n"
        "            raise ValueError('even sizes only')\n"
        "        return self.up(self.down(x))\n"
    )
    report = shapelint.check("guarded.py:Net", "1,3,7,8", picture=True)
    assert report.picture is not None
    assert (report.picture.now.reached, len(report.picture.now.steps)) == (1, 3)
    drawing = hourglass(report.picture)
    assert [badge.kind for badge in drawing.badges] == ["cross"]
    calls = [shape for shape in drawing.shapes if shape.title.startswith(("down", "up"))]
    assert [shape.kind for shape in calls] == ["down ghost", "up ghost"]


def test_the_line_is_shown_as_it_is_to_be_written() -> None:
    page = html.render((checked("mymodel.py", "1,3,6,6"),))
    assert "padding=1<ins>, output_padding=1</ins>)</pre>" in page
    fix = replace(DRAWN.findings[0].fix or Fix("", Safety.SAFE), edits=(
        Edit(Span("mymodel.py", 11, 9, 11, 9), "size = x.shape[-2:]\n        "),
        Edit(Span("mymodel.py", 11, 40, 11, 40), ", output_size=size"),
    ))  # fmt: skip
    page = html.render((replace(DRAWN, findings=(replace(DRAWN.findings[0], fix=fix),)),))
    lines = "<ins>size = x.shape[-2:]\n    </ins>return self.deconv(self.conv(x)<ins>, output_size=size</ins>)</pre>"
    assert lines in page


def test_a_change_is_said_with_its_layer_where_that_is_an_argument() -> None:
    changes = {
        "up": DrawnChange(Repair.PADDING, "output_padding=(0, 1)"),
        "down": DrawnChange(Repair.CODE, "self.down(x, output_size=x.shape[-2:])"),
        "fc": DrawnChange(Repair.CHANNELS, "built for 9"),
    }
    picture = replace(PICTURE, changes=changes)
    assert picture.said("up") == "output_padding=(0, 1) in up"
    assert picture.said("down") == changes["down"].text
    assert picture.said("fc") == "fc built for 9"


def test_layers_of_one_size_fold() -> None:
    Path("deep.py").write_text(
        "from torch import nn\n"
        "class Net(nn.Sequential):\n"
        "    def __init__(self):\n"
        "        same = lambda: [nn.Conv2d(3, 3, 3, padding=1) for _ in range(100)]\n"
        "        down, up = nn.Conv2d(3, 3, 2, 2), nn.ConvTranspose2d(3, 3, 2, 2)\n"
        "        super().__init__(*same(), down, up, *same())\n"
    )
    report = shapelint.check("deep.py:Net", "1,3,64,64", picture=True)
    assert report.picture is not None
    assert [station.size for station in stations(report.picture.now)] == [(64, 64), (32, 32), (64, 64)]
    drawing = hourglass(report.picture)
    assert drawing.width == 1160
    assert len(drawing.shapes) < 120


def test_long_names_stay_in_the_picture_and_layers_that_a_headline_names_are_labelled() -> None:
    first, second = "the_first_strided_layer_of_the_whole_encoder", "the_second_strided_layer_of_the_whole_encoder"
    up = "the_layer_that_gives_the_second_one_back_its_rows"
    Path("long.py").write_text(
        "from torch import nn\n"
        "class Net(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        f"        self.{first} = nn.Conv2d(3, 8, 3, 2, 1)\n"
        f"        self.{second} = nn.Conv2d(8, 8, 3, 2, 1)\n"
        f"        self.{up} = nn.ConvTranspose2d(8, 8, 3, 2, 1)\n"
        "        self.last, self.same = nn.ConvTranspose2d(8, 3, 3, 2, 1), nn.Conv2d(8, 8, 3, padding=1)\n"
        "    def forward(self, x):\n"
        f"        a = self.same(self.{first}(x))\n"
        f"        return self.last(a + self.{up}(self.{second}(a)))\n"
    )
    report = shapelint.check("long.py:Net", "1,3,66,67", picture=True)
    assert report.picture is not None
    assert [finding.message.split("`")[1::2] for finding in report.findings] == [["last", first], ["add", up, "same"]]
    found = texts(html.render((report,)))
    assert f" {first} same {second} {up} add last " in found
    assert f"…{up[-35:]} gives back 33x33 where …{second[-35:]} took 33x34 → write output_padding=(0, 1)" in found


def test_a_picture_is_kept_only_where_it_is_asked_for_and_can_be_pickled() -> None:
    report = checked("net3d.py", "1,4,155,240,240")
    again = pickle.loads(pickle.dumps(report))
    assert html.render((again,)) == html.render((report,))
    assert report.to_json() == replace(report, picture=None).to_json()
    assert shapelint.check(f"{EXAMPLES / 'mymodel.py'}:Net", "1,3,6,6").picture is None


def test_the_command_writes_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    model = [f"{EXAMPLES / 'mymodel.py'}:Net", "--input", "1,3,6,6"]
    assert run(["show", *model, "-o", "net.html"]) == 0
    assert capsys.readouterr().out == ""
    page = Path("net.html").read_text()
    assert run(["check", *model, "--format", "html", "--no-confirm"]) == 1
    assert capsys.readouterr().out == page
    assert "deconv gives back 5x5 where conv took 6x6 → write output_padding=1" in texts(page)


def test_a_browser_shows_it_without_a_word_in_its_log(tmp_path: Path) -> None:
    browser = next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("there is no chromium here")
    (tmp_path / "net.html").write_text(html.render((DRAWN,)))
    quiet = ("first-run", "background-networking", "component-update", "sync", "quic", "gpu")
    command = [browser, "--headless", "--no-sandbox", *(f"--disable-{each}" for each in quiet), "--no-first-run"]
    command += ["--enable-logging=stderr", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    command += [(tmp_path / "net.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "CONSOLE" not in done.stderr
    assert done.stdout.count('class="hourglass"') == 2
    assert done.stdout.count("<script") == 0


def test_a_long_folder_is_told_once(tmp_path: Path) -> None:
    folder = tmp_path / "experiments" / "segmentation" / "november"
    folder.mkdir(parents=True)
    shutil.copy(EXAMPLES / "unet65.py", folder)
    page = html.render([shapelint.check(f"{folder / 'unet65.py'}:Net", "1,3,65,65", picture=True)])
    told = [each.text or "" for each in parsed(page).iter() if each.tag.rpartition("}")[2] in ("td", "span", "li")]
    assert any("(unet65.py:35:23)" in "".join(each.itertext()) for each in parsed(page).iter())
    assert not any("(experiments" in each for each in told)


TWO = """
from torch import cat, nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.image, self.depth = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(1, 8, 3, 2)

    def forward(self, x, y):
        return cat([self.image(x), self.depth(y)], 1)
"""


def test_a_join_with_another_input_tells_its_size_and_where_it_is_from() -> None:
    Path("two.py").write_text(TWO)
    report = shapelint.check("two.py:Net", ["1,3,64,64", "1,1,64,64"], picture=True)
    texts = {text.text: text for text in hourglass(report.picture).texts}
    assert texts["32x32 ≠ 31x31 of depth"].kind == "number wrong"


def test_the_sizes_at_a_join_stand_beside_the_arc_that_ends_there() -> None:
    Path("net.py").write_text(SKIPPING)
    drawing = hourglass(shapelint.check("net.py:Net", "1,3,65,65", picture=True).picture)
    (arc,) = (each for each in drawing.arcs if each.bad)
    (text,) = (each for each in drawing.texts if "≠" in each.text)
    assert arc.end[0] < text.x - 7 * len(text.text) / 2


SKIPPING = """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = (nn.Conv2d(3, 3, 3, 2, 1) for _ in range(3))
        self.up, self.end = nn.ConvTranspose2d(3, 3, 2, 2), nn.ConvTranspose2d(3, 3, 2, 2)

    def forward(self, x):
        a = self.a(x)
        return self.end(self.up(self.b(a)) + a)
"""
