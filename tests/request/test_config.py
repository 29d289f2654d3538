"""`[tool.shapelint]` in pyproject.toml: what it says, which one counts, and one line for each wrong setting."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from shapelint.errors import ConfigError
from shapelint.jobs.job import Job, without_ignored
from shapelint.jobs.targets import TargetReader
from shapelint.request.config import Config, Configs, ConfiguredModel
from shapelint.request.options import TIMEOUT, CheckOptions
from shapelint.source.span import Span
from tests.fabricated import FAILING, MODEL

TABLE = """
[tool.shapelint]
select = ["SL1", "SL201"]
ignore = "SL105"
per-file-ignores = { "legacy/*" = ["SL201", "too-small"] }
confirm = false
cache-dir = "build/sizes"
timeout = 20
models = [
    { target = "net.py:Net", input = "1,3,H,W", sizes = { H = "32..64:32", W = [64, 96] }, expect = "_,1,H,W" },
    { target = "pkg.nets:Deep", input = ["1,3,H,W", "t=1:int64"], kwargs = { depth = 4 }, call-kwargs = { scale = 2 } },
    { target = "net.py:Codec", method = "encode", train = true },
]
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("inner/legacy").mkdir(parents=True)
    Path("net.py").write_text(MODEL + "\n\n# shapelint: input=1,1,L\nclass Codec(Net):\n    pass\n")


def written(table: str) -> Config:
    Path("pyproject.toml").write_text(table)
    return Configs().near(Path())


def test_every_key_is_read() -> None:
    config = written(TABLE)
    assert config == Config(
        file=str(Path("pyproject.toml").absolute()),
        folder=str(Path.cwd()),
        select=("SL1", "SL201"),
        ignore=("SL105",),
        per_file_ignores=(("legacy/*", ("SL201", "too-small")),),
        confirm=(),
        cache_dir="build/sizes",
        timeout=20.0,
        models=(
            ConfiguredModel("net.py:Net", ("1,3,H,W",), expect="_,1,H,W", sizes={"H": "32..64:32", "W": [64, 96]}),
            ConfiguredModel("pkg.nets:Deep", ("1,3,H,W", "t=1:int64"), kwargs={"depth": 4}, call_kwargs={"scale": 2}),
            ConfiguredModel("net.py:Codec", method="encode", train=True),
        ),
    )


def test_the_nearest_table_counts() -> None:
    written(TABLE)
    Path("inner/pyproject.toml").write_text("[project]\nname = 'no table of shapelint'\n")
    assert Configs().near(Path("inner/legacy")).timeout == 20.0
    Path("inner/pyproject.toml").write_text("[tool.shapelint]\ntimeout = 5")
    assert Configs().near(Path("inner/legacy")) == Config(
        str(Path("inner/pyproject.toml").absolute()), str(Path("inner").absolute()), timeout=5.0
    )


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("slect = []", "[tool.shapelint] has no key 'slect', did you mean 'select'?"),
        ("per_file_ignores = {}", "[tool.shapelint] has no key 'per_file_ignores', did you mean 'per-file-ignores'?"),
        ("select = 3", '[tool.shapelint] select is a number; write a list of texts such as ["SL101", "SL2"]'),
        ("timeout = 'a'", "[tool.shapelint] timeout is 'a'; write a number of seconds, or 0 for no limit"),
        ("timeout = -1", "[tool.shapelint] timeout is -1; write a number of seconds, or 0 for no limit"),
        ("cache-dir = true", '[tool.shapelint] cache-dir is true or false; write a text such as ".shapelint_cache"'),
        ("confirm = 'gpu'", "[tool.shapelint] confirm has no provider 'gpu', did you mean 'cpu'?"),
        ("models = {}", '[tool.shapelint] models is a table; write a list such as [{ target = "net.py:Net", '),
        ("models = [{}]", '[tool.shapelint] models[0] has no target; write target = "net.py:Net"'),
        ("models = [{target='a'}]", "[tool.shapelint] models[0] target 'a' names no model; write 'pkg.mod:Net' or "),
        ("models = [{target='a:B', inputs='1'}]", "models[0] has no key 'inputs', did you mean 'input'?"),
        ("models = [{target='a:B', sizes=3}]", 'models[0] sizes is a number; write "H=32..512:32" or { H ='),
        ("models = [{target='a:B', train=1}]", "models[0] train is a number; write true or false"),
        ("a = [", "cannot read pyproject.toml: "),
    ],
)
def test_a_wrong_setting_is_one_line(table: str, line: str) -> None:
    with pytest.raises(ConfigError) as error:
        written(f"[tool.shapelint]\n{table}")
    assert str(error.value).startswith(("pyproject.toml: ", "cannot read pyproject.toml: "))
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def jobs(target: str, **options: object) -> tuple[Job, ...]:
    return TargetReader(CheckOptions(**options)).of_target(target)  # type: ignore[arg-type]


def test_a_model_is_checked_as_the_settings_say() -> None:
    written(TABLE)
    (job,) = jobs("net.py:Net")
    assert (job.inputs, job.expect, job.sizes) == (("1,3,H,W",), "_,1,H,W", {"H": "32..64:32", "W": [64, 96]})
    assert (job.confirm, job.select, job.ignore, job.timeout) == ((), ("SL1", "SL201"), ("SL105",), 20.0)
    assert jobs("net:Net") == (replace(job, target="net:Net"),)


def test_options_win_over_the_settings() -> None:
    written(TABLE)
    (job,) = jobs("net.py:Net", input=("1,3,6,6",), select=("SL3",), ignore=("SL301",), timeout=0.0, confirm=("cpu",))
    assert (job.inputs, job.sizes, job.select, job.ignore) == (("1,3,6,6",), None, ("SL3",), ("SL301",))
    assert (job.timeout, job.confirm) == (0.0, ("cpu",))


def test_a_comment_gives_the_input_that_the_settings_leave_out() -> None:
    written(TABLE)
    (job,) = jobs("net.py:Codec")
    assert (job.inputs, job.method, job.train) == (("1,1,L",), "encode", True)


def test_a_file_stands_for_what_is_configured_and_annotated_in_it_once() -> None:
    written(TABLE)
    assert [job.target for job in jobs("net.py")] == ["net.py:Net", "net.py:Codec"]


def test_without_settings_there_is_a_usual_time_and_confirmation() -> None:
    (job,) = jobs("net.py:Codec", usual_confirm=("cpu",))
    assert (job.timeout, job.confirm, job.folder) == (TIMEOUT, ("cpu",), "")


def test_files_start_at_the_folder_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    written(TABLE.replace('"pkg.nets:Deep", input = [', '"net:Net", input = ['))
    monkeypatch.chdir("inner")
    entries = TargetReader(CheckOptions()).entries(Path())
    assert [entry.key for entry in entries] == [
        (str(Path("../net.py").resolve()), name) for name in ("Net", "Net", "Codec")
    ]
    assert entries[0].model.target == f"{Path('../net.py').resolve().parent / 'net.py'}:Net"


def test_a_module_is_found_without_being_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("pkg").mkdir()
    Path("pkg/__init__.py").write_text("raise SystemExit")
    Path("pkg/nets.py").write_text(MODEL.replace("Net(", "Deep("))
    written(TABLE)
    assert [job.target for job in jobs("pkg/nets.py")] == ["pkg.nets:Deep"]
    assert "pkg" not in sys.modules


@pytest.mark.parametrize(
    ("pattern", "left"),
    [("legacy/*", 0), ("*.py", 0), ("net.py", 0), ("legacy/net.py", 0), ("net", 1), ("other/*", 1), ("egacy/*", 1)],
)
def test_findings_are_ignored_by_file(pattern: str, left: int) -> None:
    finding = replace(FAILING.findings[0], location=Span(str(Path("legacy/net.py").absolute()), 8, 1, 8, 2))
    report = replace(FAILING, findings=(finding,))
    job = Job("net.py:Net", (), per_file_ignores=((pattern, ("SL1",)),), folder=str(Path.cwd()))
    assert len(without_ignored(report, job).findings) == left
    assert without_ignored(report, replace(job, per_file_ignores=((pattern, ("SL2",)),))) == report
