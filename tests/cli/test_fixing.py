"""--fix and --diff: what is written is right in eager PyTorch, and nothing else of the user's changes."""

from __future__ import annotations

import os
import shutil
import stat
import textwrap
from pathlib import Path

import pytest
import torch

from shapelint.cli import fix as cli_fixing
from shapelint.cli.app import run
from tests.case_files import FOLDER, read_case
from tests.drawn.load import load_path

pytestmark = pytest.mark.filterwarnings("ignore")

NET = """
import torch
from torch import nn
from torch.nn import functional as F


{}
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str, file: str = "net.py") -> str:
    source = NET.format(textwrap.dedent(text).strip()).lstrip("\n")
    Path(file).write_text(source)
    return source


def check(*arguments: str, spec: str = "1,3,6,6") -> int:
    return run(["check", "net.py:Net", "--input", spec, "--no-confirm", *arguments])


def outputs(*shapes: tuple[int, ...]) -> torch.Tensor:
    """What the model in the file gives in eager PyTorch: its first tensor."""
    load_path.cache_clear()
    with torch.no_grad():
        found = load_path(Path("net.py").resolve()).Net().eval()(*map(torch.zeros, shapes))
    while not isinstance(found, torch.Tensor):
        found = found[0]
    return found


def size(*shape: int) -> tuple[int, ...]:
    return tuple(outputs(shape).shape[2:])


PAIR = """
class Net(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 8, 3, stride=2, padding=1),
            nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1),  # back again
        )
"""


def test_a_diff_of_nothing_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    write(PAIR.replace("padding=1),  #", "padding=1, output_padding=1),  #"))
    assert check("--diff") == 0
    assert capsys.readouterr() == ("", "shapelint: would fix 0 findings: there is none\n")


def test_a_diff_shows_what_fix_writes_and_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    before = write(PAIR)
    assert check("--diff") == 1
    shown = capsys.readouterr()
    added = "+            nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1, output_padding=1),  # back again\n"
    assert added in shown.out
    assert shown.err == "shapelint: would fix 1 finding; nothing was written\n"
    assert Path("net.py").read_text() == before
    assert check("--fix") == 0
    assert capsys.readouterr().err == "shapelint: fixed SL101 `1` gives back 5x5 where `0` took 6x6\n"
    after = Path("net.py").read_text()
    assert after == before.replace("padding=1),  # back", "padding=1, output_padding=1),  # back")
    assert size(1, 3, 6, 6) == (6, 6)
    assert check("--fix") == 0
    assert Path("net.py").read_text() == after


def two(body: str, before: str = "", rest: str = "") -> str:
    """A model of two levels that takes 28x28 to 14x14 and 7x7; the values that it needs are 1 and 1."""
    return f"""
class Net(nn.Module):
    {before.replace(chr(10), chr(10) + "    ")}
    def __init__(self{rest}):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, 2, 1))
        {body.replace(chr(10), chr(10) + "        ")}

    def forward(self, x):
        return self.up(self.down(x))
"""


UPS = "nn.ConvTranspose2d(4, 4, 3, 2, 1{0}), nn.ConvTranspose2d(4, 3, 3, 2, 1{0})"
HELPER = "def up(i, o):\n    return nn.ConvTranspose2d(i, o, 3, stride=2, padding=1)\n\n\n"
WRITTEN = {
    "positional": (two(f"self.up = nn.Sequential({UPS.format(', 0')})"), f"nn.Sequential({UPS.format(', 1')})"),
    "class attribute": (two(f"self.up = nn.Sequential({UPS.format(', self.op')})", "op = 0"), "op = 1"),
    "keywords of the class": (
        two("self.up = nn.Sequential(nn.ConvTranspose2d(4, 4, **self.UP), nn.ConvTranspose2d(4, 3, **self.UP))",
            "UP = dict(kernel_size=3, stride=2, padding=1, output_padding=0)"),
        "padding=1, output_padding=1)",
    ),
    "default": (two(f"self.up = nn.Sequential({UPS.format(', extra')})", rest=", extra=0"), "extra=1"),
    "items of a tuple": (
        two("self.up = nn.Sequential(*[nn.ConvTranspose2d(4, o, 3, 2, 1, op) for o, op in zip((4, 3), self.ops)])",
            "ops = (1, 0)"),
        "ops = (1, 1)",
    ),
    "starred": (two(f"self.up = nn.Sequential({UPS.format('').replace('3, 2, 1', '*self.how')})", "how = (3, 2, 1, 0)"),
                "how = (3, 2, 1, 1)"),
    "method": (two(f"self.up = nn.Sequential({UPS.format(', self.extra()')})", "def extra(self):\n    return 0"),
               "return 1"),
    "setting": (two(f"self.up = nn.Sequential({UPS.format(', self.how[chr(111)]').replace('chr(111)', repr('op'))})",
                    "how = {'op': 0, 'other': 0}"), "how = {'op': 1, 'other': 0}"),
    "wrapper": (two(f"self.up = nn.Sequential({UPS.format('').replace('nn.ConvTranspose2d', 'self.make')})",
                    "@staticmethod\ndef make(*args, **kwargs):\n    return nn.ConvTranspose2d(*args, **kwargs)"),
                "self.make(4, 4, 3, 2, 1, output_padding=1)"),
    "helper": (HELPER + two("self.up = nn.Sequential(up(4, 4), up(4, 3))"), "stride=2, padding=1, output_padding=1)"),
    "dict": (two("self.up = nn.Sequential(OrderedDict(a=nn.ConvTranspose2d(4, 4, 3, 2, 1), "
                 "b=nn.ConvTranspose2d(4, 3, 3, 2, 1)))").replace(
                     "\nclass", "\nfrom collections import OrderedDict\nclass"),
             "a=nn.ConvTranspose2d(4, 4, 3, 2, 1, output_padding=1)"),
    "partial": (two("make = partial(nn.ConvTranspose2d, stride=2, padding=1, output_padding=0)\n"
                    "self.up = nn.Sequential(make(4, 4, 3), make(4, 3, 3))").replace(
                        "\nclass", "\nfrom functools import partial\nclass"), "make(4, 4, 3, output_padding=1)"),
}  # fmt: skip


@pytest.mark.parametrize("how", WRITTEN)
def test_a_value_is_written_where_the_layers_have_it_from(how: str) -> None:
    text, expected = WRITTEN[how]
    write(text)
    assert check("--fix", spec="1,3,28,28") == 0
    assert expected in Path("net.py").read_text()
    assert size(1, 3, 28, 28) == (28, 28)


def test_layers_of_one_helper_that_need_different_values_get_a_parameter() -> None:
    write(HELPER + two("self.up = nn.Sequential(up(4, 4), up(4, 3))"))
    assert check("--fix", spec="1,3,26,26") == 0
    text = Path("net.py").read_text()
    assert "def up(i, o, output_padding=0):" in text
    assert "padding=1, output_padding=output_padding)" in text
    assert "nn.Sequential(up(4, 4), up(4, 3, output_padding=1))" in text
    assert size(1, 3, 26, 26) == (26, 26)


LOOPED = two("""ups = []
for i in range(2):
    ups.append(nn.ConvTranspose2d(4, 4 - i, 3, 2, 1))
self.up = nn.Sequential(*ups)""")


def test_layers_of_a_loop_that_counts_get_their_values_by_its_turn() -> None:
    write(LOOPED)
    assert check("--fix", spec="1,3,26,26") == 0
    assert "nn.ConvTranspose2d(4, 4 - i, 3, 2, 1, output_padding=(0, 1)[i])" in Path("net.py").read_text()
    assert size(1, 3, 26, 26) == (26, 26)


def test_what_stands_in_no_one_place_is_said_and_left(capsys: pytest.CaptureFixture[str]) -> None:
    before = write(two("self.up = nn.Sequential(*(nn.ConvTranspose2d(4, o, 3, 2, 1) for o in range(4, 2, -1)))"))
    assert check("--fix", "--unsafe-fixes", spec="1,3,26,26") == 1
    note = "no edit: one line builds all of them, and each needs its own `output_padding`: 0 in `up.0`, 1 in `up.1`"
    assert note in capsys.readouterr().out
    assert Path("net.py").read_text() == before


UNET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc, self.mid = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.up = {}

    def forward(self, x):
        skips = [self.enc(x)]
        y = self.mid(F.max_pool2d(skips[-1], 2))
        {}
"""
JOINS = {
    "output_size=": ("nn.ConvTranspose2d(8, 8, 2, 2)", "s = skips[0]; return torch.cat([s, self.up(y)], 1)",
                     "self.up(y, output_size=s.shape[-2:])"),
    "resized": ("nn.Upsample(scale_factor=2)", "return torch.cat([skips[0], self.up(y)], 1)",
                "F.interpolate(self.up(y), size=skips[0].shape[-2:])"),
    "size=": ("nn.Identity()", "return F.interpolate(y, scale_factor=2) + skips[0]",
              "F.interpolate(y, size=skips[0].shape[-2:]) + skips[0]"),
    "kept before": ("nn.Upsample(scale_factor=2)", "return torch.cat([skips.pop(), self.up(y)], 1)",
                    "skip = skips.pop()\n        return torch.cat([skip, F.interpolate(self.up(y)"),
}  # fmt: skip


@pytest.mark.parametrize("how", JOINS)
def test_a_join_gets_the_size_of_its_skip(how: str) -> None:
    layer, line, expected = JOINS[how]
    write(UNET.format(layer, line))
    assert check("--fix", "--unsafe-fixes", spec="1,3,65,64") == 0
    assert expected in Path("net.py").read_text()
    assert size(1, 3, 65, 64) == (65, 64)
    assert size(1, 3, 64, 33) == (64, 33)


def test_an_unsafe_fix_wants_to_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    before = write(UNET.format("nn.ConvTranspose2d(8, 8, 2, 2)", "return torch.cat([skips[0], self.up(y)], 1)"))
    assert check("--fix", spec="1,3,65,64") == 1
    assert "1 fixable with --fix --unsafe-fixes\n" in capsys.readouterr().out
    assert Path("net.py").read_text() == before


def test_options_that_contradict_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    write(PAIR)
    assert check("--fix", "--diff") == 2
    assert capsys.readouterr().err == "shapelint: --fix writes the fixes and --diff only shows them; give one\n"
    assert check("--unsafe-fixes") == 2
    wanted = "shapelint: --unsafe-fixes says which fixes are made; give --fix or --diff with it\n"
    assert capsys.readouterr().err == wanted


def test_a_fix_that_harms_another_model_of_the_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """One wants 6x6 back, the other has its 5x5 and would lose it."""
    write("# shapelint: input=1,3,6,6" + PAIR + "\n\n# shapelint: input=1,3,5,5\ndef other():\n    return Net()")
    assert run(["check", "net.py", "--no-confirm", "--fix"]) == 1
    shown = capsys.readouterr()
    assert "fixed" not in shown.err
    assert "the fix of SL101 `1` gives back 5x5 where `0` took 6x6 would harm net.py:other" in shown.err


def test_permissions_and_links_stay() -> None:
    write(PAIR, "real.py")
    Path("real.py").chmod(0o750)
    Path("net.py").symlink_to("real.py")
    assert check("--fix") == 0
    assert Path("net.py").is_symlink()
    assert "output_padding=1" in Path("real.py").read_text()
    assert stat.S_IMODE(Path("real.py").stat().st_mode) == 0o750
    assert sorted(os.listdir()) in (["net.py", "real.py"], ["__pycache__", "net.py", "real.py"])


def test_both_names_of_a_hard_link_have_the_fix() -> None:
    write(PAIR, "real.py")
    Path("net.py").hardlink_to("real.py")
    assert check("--fix") == 0
    assert "output_padding=1" in Path("real.py").read_text()
    assert Path("net.py").samefile("real.py")


@pytest.mark.parametrize(
    ("encoding", "word", "newline"),
    [
        ("cp1252", "Größe — é", "\n"), ("shift_jis", "表示ソ十能", "\n"), ("euc-kr", "모델", "\r\n"),
        ("latin-1", "\x85 \xa0 é", "\n"), ("utf-8", "\u2028 \x0c", "\n"), ("utf-8", "encoding: no", "\r"),
    ],
)  # fmt: skip
def test_a_file_keeps_its_encoding_and_newlines(
    encoding: str, word: str, newline: str, capsys: pytest.CaptureFixture[str]
) -> None:
    head = f"# coding: {encoding}\n# {word}\n'{word}'\n"
    model = PAIR.strip().replace("class Net", "# shapelint: input=1,3,6,6\nclass Net")
    model = model.replace("  # back again", f"  # {word}  # shapelint: ignore[SL105]")
    source = head + NET.format(model).lstrip("\n")
    before = source.replace("\n", newline).encode(encoding)
    Path("net.py").write_bytes(before)
    assert check("--diff", "--ignore", "SL901") == 1
    assert f"+            nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1, output_padding=1),  # {word}" in (
        capsys.readouterr().out
    )
    assert check("--fix", "--ignore", "SL901") == 0
    assert Path("net.py").read_bytes() == before.replace(b"padding=1),  #", b"padding=1, output_padding=1),  #")
    capsys.readouterr()
    assert check("--format", "concise") == 0
    line = next(line for line in source.split("\n") if "ConvTranspose2d" in line)
    column = line.index("# shapelint: ignore") + len(", output_padding=1") + 1
    number = source.split("\n").index(line) + 1
    assert f"net.py:{number}:{column}: SL901 `ignore[SL105]` silences nothing" in capsys.readouterr().out


def test_a_file_that_changes_meanwhile_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = write(PAIR)
    fix = cli_fixing.Fixer.fix

    def saved_in_an_editor(self: cli_fixing.Fixer, *arguments: object) -> object:
        found = fix(self, *arguments)  # type: ignore[arg-type]
        Path("net.py").write_text(text + "# mine\n")
        return found

    monkeypatch.setattr(cli_fixing.Fixer, "fix", saved_in_an_editor)
    assert check("--fix") == 2
    assert capsys.readouterr().err == (
        "shapelint: net.py was changed while it was checked and is left alone; run again\n"
    )
    assert Path("net.py").read_text() == text + "# mine\n"


def test_files_are_put_back_where_what_was_written_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = write(PAIR)
    monkeypatch.setattr(cli_fixing, "_keys", lambda report: object())
    assert check("--fix") == 2
    wrong = "shapelint: net.py:Net: what was written is not what was checked; the files are as they were\n"
    assert capsys.readouterr().err == wrong
    assert Path("net.py").read_text() == before


def test_a_fix_that_does_not_hold_is_not_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = write(PAIR)
    monkeypatch.setattr(cli_fixing, "_is_better", lambda *_: False)
    assert check("--fix") == 1
    line = "shapelint: the fix of SL101 `1` gives back 5x5 where `0` took 6x6 does not hold\n"
    assert capsys.readouterr().err == line
    assert Path("net.py").read_text() == before


CASES = [
    "c003_vae_valid_convs_28_to_27",
    "c042_fpn_inplace_add_85_86",
    "c053_linknet_1000x2000",
    "c070_max_unpool_540",
    "c083_dcgan_discriminator_on_32",
    "c303_celeba_218x178",
    "c308_unet_bilinear_572_padded",
    "c311_segnet_360x480",
    "c313_dcgan_64_for_96",
    "c333_dense_pinned_at_28_fed_32",
]


@pytest.mark.parametrize("stem", CASES)
def test_real_models_are_fixed(stem: str, tmp_path: Path) -> None:
    shutil.copy(FOLDER / f"{stem}.py", tmp_path / "net.py")
    case = read_case(tmp_path / "net.py")
    inputs = [argument for shape in case.inputs for argument in ("--input", ",".join(map(str, shape)))]
    expect = ["--expect", "...," + ",".join(map(str, case.target))] if case.target else []
    run(["check", "net.py:Net", *inputs, *expect, "--no-confirm", "--fix", "--unsafe-fixes"])
    found, wanted = outputs(*case.inputs), case.wanted(case.inputs)
    assert wanted is None or found.shape[-len(wanted) :] == wanted


def test_layers_of_one_line_share_a_value_where_that_is_right_too(capsys: pytest.CaptureFixture[str]) -> None:
    """A crop behind the decoder takes a surplus: 1 in two of the three layers is enough, and 1 in all is one edit."""
    write("""
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(*(nn.Conv2d(3, 3, 3, stride=2, padding=1) for _ in range(3)))
        self.up = nn.Sequential(*(nn.ConvTranspose2d(3, 3, 3, stride=2, padding=1) for _ in range(3)))

    def forward(self, x):
        return self.up(self.down(x))[..., : x.shape[-2], : x.shape[-1]]
""")
    assert check("--fix", spec="1,3,27,27") == 0
    assert "padding=1, output_padding=1) for _" in Path("net.py").read_text()
    assert "every size\n" in capsys.readouterr().out
    assert size(1, 3, 30, 41) == (30, 41)


@pytest.mark.parametrize(
    ("comment", "left"),
    [
        ("  # shapelint: ignore[SL101, SL105] odd sizes only", "  # shapelint: ignore[SL101] odd sizes only"),
        ("  # shapelint: ignore[SL105] odd sizes only", ""),
        ("  # noqa: E501  # shapelint: ignore[SL105]", "  # noqa: E501"),
        ("  # shapelint: ignore[SL105] odd  # noqa: E501", "  # noqa: E501"),
    ],
)
def test_an_unused_comment_is_taken_out(comment: str, left: str) -> None:
    write(PAIR.replace("  # back again", comment))
    assert check("--fix", "--select", "SL") in (0, 1)
    line = next(line for line in Path("net.py").read_text().splitlines() if "ConvTranspose2d" in line)
    fixed = "" if "SL101" in comment else ", output_padding=1"
    assert line == f"            nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1{fixed}),{left}"


def test_a_comment_that_serves_another_model_of_the_command_stays() -> None:
    source = write(
        """
        def pair(padding):
            return nn.Sequential(
                nn.Conv2d(3, 8, 3, 2, 1),
                nn.ConvTranspose2d(8, 3, 3, 2, 1, padding),  # shapelint: ignore[SL101]
            )


        # shapelint: input=1,3,6,6
        def fine():
            return pair(1)


        # shapelint: input=1,3,6,6
        def wrong():
            return pair(0)
        """
    )
    assert run(["check", "net.py", "--no-confirm", "--fix"]) == 0
    assert Path("net.py").read_text() == source
