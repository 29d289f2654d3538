"""The house rules, as tests: the layers, the sizes of functions and files, and what ruff and mypy say."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# From the top of the tree down: a module imports only from its own line and the ones above it.
LAYERS = (
    ("errors",),
    ("source",),
    ("syntax",),
    ("size",),
    ("graph",),
    ("failure",),
    ("contract",),
    ("picture",),
    ("finding",),
    ("fingerprint",),
    ("baseline",),
    ("rule",),
    ("spec", "comments", "config", "module_files"),
    ("inputs", "annotation", "model_names", "user_code"),
    ("silence", "import_graph"),
    ("calling",),
    ("load",),
    ("trace",),
    ("saved",),
    ("question", "mirror"),
    ("intent",),
    ("repair",),
    ("exporting",),
    ("analysis",),
    ("search", "misfit", "joins"),
    ("diagnose", "layout"),
    ("reach",),
    ("broadcasts", "crossing", "difference", "drawing", "guard", "rounding"),
    ("baked",),
    ("study",),
    ("edit",),
    ("export", "mending", "rewriting"),
    ("registry",),
    ("engine",),
    ("report",),
    ("testing",),
    ("interrupt", "stored"),
    ("output",),
    ("cli_help",),
    ("cli_options",),
    ("cli_job", "cli_bar", "child", "watch", "dependencies"),
    ("cache", "cli_targets"),
    ("cli_work",),
    ("cli_running",),
    ("cli_checking",),
    ("cli_fixing", "cli_baseline"),
    ("cli", "pytest_items"),
    ("pytest_plugin", "__main__", "__init__"),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
RULES_MAY_IMPORT = {"errors", "source", "syntax", "size", "graph", "failure", "contract", "finding", "rule"}
# A Report prints itself, by the reporters below it, imported when it does.
UPWARD = {("finding", "report")}
TORCH_IN = {"load", "trace", "saved", "repair", "export", "engine", "mending"}
SOURCES = sorted([*ROOT.glob("shapelint/**/*.py"), *ROOT.glob("rules/**/*.py")])


def part(path: Path) -> str:
    """The name in LAYERS of the file: its module, or its folder in the package."""
    return path.relative_to(ROOT / "shapelint").with_suffix("").parts[0]


def imports(path: Path) -> Iterator[str]:
    """The absolute names of what the file imports at run time; what is imported for type checkers is left out."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_parts(path: Path) -> set[str]:
    names = [name.split(".") for name in imports(path)]
    return {name[1] if name[1] in LEVEL else "__init__" for name in names if name[0] == "shapelint" and len(name) > 1}


@pytest.mark.parametrize("path", sorted(ROOT.glob("shapelint/**/*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_from_the_lines_above(path: Path) -> None:
    own = part(path)
    assert own in LEVEL, f"{own} has no line in LAYERS"
    below = {name for name in imported_parts(path) if LEVEL[name] >= LEVEL[own] and name != own}
    beside = {name for name in below if LEVEL[name] == LEVEL[own]}
    assert {(own, name) for name in below - beside} <= UPWARD
    assert not beside


def test_rules_import_only_what_is_meant_for_them() -> None:
    for path in ROOT.glob("rules/**/*.py"):
        assert imported_parts(path) <= RULES_MAY_IMPORT, path.name
        outside = {name.split(".")[0] for name in imports(path)} - {"shapelint"} - set(sys.stdlib_module_names)
        assert not outside, path.name


def test_each_library_has_its_place() -> None:
    for path in ROOT.glob("shapelint/**/*.py"):
        tops = {name.split(".")[0] for name in imports(path)}
        assert "islpy" not in tops or part(path) == "size", path
        assert "torch" not in tops or part(path) in TORCH_IN, path
        assert not tops & {"onnx", "onnxruntime", "onnxscript"} or part(path) in ("export", "saved"), path
        assert not any(name.startswith("shapelint_rules") for name in imports(path)), path


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_and_files_are_short(path: Path) -> None:
    text = path.read_text()
    lines = text.count("\n")
    assert lines <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno + 1 <= 40, node.name


def test_the_package_list_is_the_folders() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {path.parent.relative_to(ROOT) for path in SOURCES}
    names = {".".join(folder.parts).replace("rules", "shapelint_rules", 1) for folder in folders}
    assert set(tools["packages"]) == names


def test_the_entry_points_are_the_rule_files() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    modules = {value.partition(":")[0] for value in project["entry-points"]["shapelint.rules"].values()}
    assert modules == {f"shapelint_rules.{path.stem}" for path in ROOT.glob("rules/sl*.py")}


@pytest.mark.parametrize("arguments", [["--version"], ["rules"], ["explain"], ["explain", "SL101"], ["hook", __file__]])
def test_what_needs_no_torch_imports_none(arguments: list[str]) -> None:
    heavy = ("torch", "onnx", "onnxruntime", "numpy")
    code = (
        "import sys\nfrom shapelint.cli import run\n"
        f"code = run({arguments!r})\nfound = [name for name in {heavy!r} if name in sys.modules]\n"
        "sys.exit(f'imported {found}' if found else code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")


def run_tool(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_is_content() -> None:
    run_tool("ruff", "check", ".")


def test_mypy_is_content() -> None:
    run_tool("mypy", "shapelint", "rules")
