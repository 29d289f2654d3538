"""The examples get the verdict that the README tells, and the benchmarks run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import shapelint
from benchmarks import rows
from shapelint.cli.app import run

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
VERDICTS: dict[str, tuple[list[tuple[str, str]], dict[str, tuple[int, ...]]]] = {
    "mymodel": ([("SL101", "deconv")], {"deconv.output_padding": (1, 1)}),
    "autoencoder28": (
        [("SL101", "decoder.2"), ("SL101", "decoder.4")],
        {"decoder.2.output_padding": (1, 1), "decoder.4.output_padding": (1, 1)},
    ),
    "unet65": ([("SL201", "up.3")], {"up.3.output_padding": (1, 1)}),
    "codec": ([("SL101", "decoder.1")], {"decoder.1.output_padding": (1,)}),
    "net3d": (
        [("SL101", "up1"), ("SL101", "up2")],
        {"up1.output_padding": (1, 1, 1), "up2.output_padding": (0, 1, 1)},
    ),
}
INPUTS = {
    "mymodel": "1,3,6,6",
    "autoencoder28": "1,1,28,28",
    "unet65": "1,3,65,65",
    "codec": "1,1,32000",
    "net3d": "1,4,155,240,240",
}
RESTORES = {
    "mymodel": "H and W odd",
    "autoencoder28": "H and W 1 mod 8",
    "unet65": "H and W multiples of 16",
    "codec": "L 312 mod 320",
    "net3d": "D, H and W 1 mod 4",
}


def verdict(report: Any) -> tuple[list[tuple[str, str]], dict[str, tuple[int, ...]]]:
    assignments: dict[str, tuple[int, ...]] = {}
    for finding in report.findings:
        assignments |= finding.fix.assignments
    return [(finding.code, finding.module) for finding in report.findings], assignments


@pytest.mark.parametrize("name", VERDICTS)
def test_an_example_gets_its_verdict(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES.parent)
    report = shapelint.check(f"examples/{name}.py:Net", INPUTS[name])
    assert verdict(report) == VERDICTS[name]
    assert report.contract.proved
    assert str(report.contract.restores) == RESTORES[name]


@pytest.mark.parametrize("name", VERDICTS)
def test_the_comment_above_an_example_asks_for_its_check(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(EXAMPLES / f"{name}.py"), "--no-confirm", "--format", "concise"]) == 1
    codes = [line.split()[1] for line in capsys.readouterr().out.splitlines()]
    assert codes == [code for code, _ in VERDICTS[name][0]]


def test_the_u_net_works_at_64() -> None:
    assert shapelint.check(f"{EXAMPLES}/unet65.py:Net", (1, 3, 64, 64)).ok


def test_the_example_of_the_fixture_fails_at_six_by_six(pytester: pytest.Pytester) -> None:
    for name in ("mymodel.py", "sizes_in_pytest.py"):
        (pytester.path / name).write_text((EXAMPLES / name).read_text())
    done = pytester.runpytest_subprocess("sizes_in_pytest.py")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["*`deconv` gives back 5x5 where `conv` took 6x6"])


def test_the_benchmarks_run_on_something_small() -> None:
    assert len(list(rows.all_sizes(1, channels=2, levels=1, sizes=2))) == 3
    assert len(list(rows.depth(1, layers=2))) == 1
    assert len(list(rows.saved(1))) == 1
