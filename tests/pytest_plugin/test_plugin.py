"""`pytest --shapelint`: one test for each configured or annotated model, and nothing where it is not asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shapelint.cli.app import run
from shapelint.pytest_plugin import Shapelint
from tests.fabricated import MODEL

ANNOTATED = MODEL.replace("class Net", "# shapelint: input=1,3,6,6\nclass Net")
SETTINGS = """
[tool.shapelint]
models = [
    { target = "pkg/fine.py:Net", input = "1,3,5,5" },
    { target = "pkg/fine.py:Net", input = ["1,3,7,7"], kwargs = {} },
]
[tool.pytest.ini_options]
testpaths = ["tests"]
"""
NAMES = {
    "tests/test_one.py::test_one",
    "bad.py::Net[1,3,6,6]",
    "pkg/fine.py::Net[1,3,5,5]",
    "pkg/fine.py::Net[1,3,7,7]",
}


@pytest.fixture(autouse=True, scope="module")
def whole() -> None:
    """What a run of pytest inside of this one imports first, it forgets; imported again it would be there twice."""
    from torch import nn

    Shapelint().report(nn.Conv2d(3, 8, 3))


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    for file, text in {
        "bad.py": ANNOTATED,
        "pkg/fine.py": MODEL,
        "pyproject.toml": SETTINGS,
        "tests/test_one.py": "def test_one():\n    pass\n",
    }.items():
        Path(pytester.path, file).parent.mkdir(exist_ok=True)
        Path(pytester.path, file).write_text(text)
    return pytester


def named(project: pytest.Pytester, *arguments: str) -> set[str]:
    out = project.runpytest_inprocess("--collect-only", "-q", *arguments).stdout.lines
    return {line for line in out if "::" in line}


def test_every_model_is_a_test_of_its_own(project: pytest.Pytester) -> None:
    assert named(project, "--shapelint") == NAMES
    assert named(project) == {"tests/test_one.py::test_one"}


def test_a_named_path_stands_for_the_models_in_it(project: pytest.Pytester) -> None:
    assert named(project, "--shapelint", "pkg") == {name for name in NAMES if name.startswith("pkg")}
    assert named(project, "--shapelint", "bad.py::Net[1,3,6,6]") == {"bad.py::Net[1,3,6,6]"}
    assert named(project, "--shapelint", "-m", "shapelint", "-k", "bad") == {"bad.py::Net[1,3,6,6]"}


def test_a_failure_is_the_report(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess("--shapelint", "-v")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*pkg/fine.py::Net?1,3,5,5? PASSED*",
            "bad.py:9:23: error SL101 round-trip-size: `deconv` gives back 5x5 where `conv` took 6x6",
            " 9 |         self.deconv = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)",
            "1 error in bad.py:Net at 1,3,6,6",
            "FAILED bad.py::Net?1,3,6,6? - bad.py:9:23: error SL101*",
        ]
    )


def test_what_cannot_be_checked_is_one_line(project: pytest.Pytester) -> None:
    Path(project.path, "bad.py").write_text(ANNOTATED.replace("self.conv(x)", "self.missing(x)"))
    result = project.runpytest_inprocess("--shapelint", "bad.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["bad.py:Net does not run: AttributeError: 'Net' object has no attribute 'missing'*"])


def test_a_wrong_setting_is_a_usage_error(project: pytest.Pytester) -> None:
    Path(project.path, "pyproject.toml").write_text("[tool.shapelint]\nmodel = []")
    result = project.runpytest_inprocess("--shapelint")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*pyproject.toml: [[]tool.shapelint] has no key 'model', did you mean 'models'?"])


def test_the_workers_of_xdist_take_the_same_models(project: pytest.Pytester) -> None:
    command = [sys.executable, "-m", "pytest", "--shapelint", "-n", "1", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=project.path, env=dict(os.environ))
    assert done.stdout.rstrip().splitlines()[-1].startswith("1 failed, 3 passed in ")


def test_it_costs_nothing_where_it_is_not_asked_for(project: pytest.Pytester) -> None:
    code = (
        "import sys, pytest\ncode = pytest.main(['-q', '-p', 'no:cacheprovider'])\n"
        "names = ('torch', 'islpy', 'click', 'shapelint.facts.finding', 'shapelint.pytest_plugin.items')\n"
        "sys.exit(str([name for name in names if name in sys.modules]) if code == 0 else code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=project.path)
    assert done.stderr.strip() == "[]"


def test_the_fixture_needs_no_input() -> None:
    from torch import nn

    assert Shapelint().report(nn.Conv2d(3, 8, 3)).inputs == ("1,3,H,W",)
    assert Shapelint().check(nn.Conv2d(3, 8, 3)).assumed == "assumed 1,3,H,W: the model takes 3 channels"


def test_a_model_that_nobody_annotated_is_no_test(project: pytest.Pytester) -> None:
    Path(project.path, "plain.py").write_text(MODEL)
    found = project.runpytest_subprocess("--shapelint", "--collect-only", "-q", "plain.py")
    assert "plain.py::" not in found.stdout.str()


LOCKED = """
def test_the_model_keeps_its_sizes(shapelint):
    shapelint.hold("bad.py:Net")
"""


def test_a_size_that_is_lost_fails_the_test_of_the_lock(project: pytest.Pytester) -> None:
    """`--shapelint-lock` is one test of all models; the fixture holds a single one."""
    assert run(["lock"]) == 0
    Path(project.path, "tests/test_lock.py").write_text(LOCKED)
    project.runpytest_inprocess("--shapelint-lock", "-q").assert_outcomes(passed=3)
    text = Path("bad.py").read_text()
    changed = text.replace("padding=1", "padding=0", 1)
    assert changed != text
    Path("bad.py").write_text(changed)
    result = project.runpytest_inprocess("--shapelint-lock", "-q")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["bad.py:Net at 1,3,6,6", "  gives another size for: *", "  since `*` (bad.py:*"])


def test_a_lock_that_is_not_there_is_told_in_a_line(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess("--shapelint-lock", "-q", "tests")
    result.stdout.fnmatch_lines(["there is no shapelint.lock here; write it with `shapelint lock`"])
