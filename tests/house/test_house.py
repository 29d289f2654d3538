"""The house rules, as tests: the rooms, the sizes of functions and files, and what ruff and mypy say."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from shapelint.registry import load_rules

ROOT = Path(__file__).parent.parent.parent
TORCH_IN = {
    "confirm", "diagnosis", "engine", "infer", "instrument", "load", "ops", "repair", "restore", "saved", "spec",
    "trace",
}  # fmt: skip
SOURCES = sorted([*ROOT.glob("shapelint/**/*.py"), *ROOT.glob("rules/**/*.py")])


def part(path: Path) -> str:
    """The room of a file: its folder in the package, or its own name where it lies in none."""
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


def test_the_rooms_are_on_their_floors() -> None:
    """The contracts of import-linter in pyproject.toml: the order of the rooms, and no circle in any of them."""
    run_tool("-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache", "--no-logo")


@pytest.mark.parametrize("folder", ["rules", "examples/plugin"])
def test_a_rule_imports_one_module_of_shapelint(folder: str) -> None:
    for path in ROOT.glob(f"{folder}/**/*.py"):
        own = {name for name in imports(path) if name.startswith("shapelint.")}
        assert {name.rpartition(".")[0] for name in own} <= {"shapelint.rule", "shapelint.testing"}, path.name
        outside = {name.split(".")[0] for name in imports(path)} - {"shapelint"} - set(sys.stdlib_module_names)
        assert folder != "rules" or not outside, path.name


def test_each_library_has_its_place() -> None:
    for path in ROOT.glob("shapelint/**/*.py"):
        tops = {name.split(".")[0] for name in imports(path)}
        assert "islpy" not in tops or part(path) == "size", path
        assert "torch" not in tops or part(path) in TORCH_IN, path
        assert not tops & {"onnx", "onnxruntime", "onnxscript"} or part(path) in ("confirm", "saved"), path
        assert not any(name.startswith("shapelint_rules") for name in imports(path)), path


WORDED = {"message", "title", "note", "notes"}
READING = {"search", "match", "fullmatch", "findall", "finditer", "sub", "split", "partition", "rpartition", "replace",
           "startswith", "endswith", "removeprefix", "removesuffix"}  # fmt: skip


def _worded(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in WORDED


def test_no_code_reads_a_fact_from_a_sentence() -> None:
    """A value carries a fact; a fingerprint is made of the sentence itself, without the numbers of lines."""
    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in READING:
                parts = [node.func.value, *node.args]
            elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
                parts = node.comparators
            else:
                continue
            found |= {path.name for part in parts if _worded(part)}
    assert found == {"fingerprint.py"}


def test_the_package_knows_no_rule_code() -> None:
    for path in ROOT.glob("shapelint/**/*.py"):
        texts = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
        assert not {text for text in texts if isinstance(text, str) and re.fullmatch(r"SL\d+", text)}, path


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_and_files_are_short(path: Path) -> None:
    text = path.read_text()
    lines = text.count("\n")
    assert lines <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno + 1 <= 40, node.name


def test_no_class_name_stands_for_two_things() -> None:
    found: dict[str, list[str]] = {}
    for path in ROOT.glob("shapelint/**/*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(part(path))
    assert not {name: rooms for name, rooms in found.items() if len(rooms) > 1}


def public(node: ast.Module | ast.ClassDef, path: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.ClassDef]]:
    """The public classes, functions and methods of a module, by their paths; commands of click have help texts."""
    for each in node.body:
        if isinstance(each, ast.FunctionDef | ast.ClassDef) and not each.name.startswith("_"):
            if not any("command" in ast.unparse(decorator) for decorator in each.decorator_list):
                yield f"{path}{each.name}", each
            if isinstance(each, ast.ClassDef):
                yield from public(each, f"{path}{each.name}.")


def raised(function: ast.FunctionDef) -> set[str]:
    """The names of the errors that a function raises itself, outside of any `try` that may catch them."""
    guarded = {
        id(inner)
        for node in ast.walk(function)
        if isinstance(node, ast.Try)
        for each in node.body
        for inner in ast.walk(each)
    }
    nodes = (node for node in ast.walk(function) if isinstance(node, ast.Raise) and id(node) not in guarded)
    errors = (node.exc.func if isinstance(node.exc, ast.Call) else node.exc for node in nodes if node.exc)
    return {name for error in errors if (name := ast.unparse(error))[0].isupper()}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_public_member_says_what_it_does_and_what_it_raises(path: Path) -> None:
    for name, member in public(ast.parse(path.read_text())):
        said = ast.get_docstring(member)
        assert said, name
        if isinstance(member, ast.FunctionDef):
            assert not [error for error in raised(member) if error not in said], name


def test_the_package_list_is_the_folders() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {path.parent.relative_to(ROOT) for path in SOURCES}
    names = {".".join(folder.parts).replace("rules", "shapelint_rules", 1) for folder in folders}
    assert set(tools["packages"]) == names


def test_each_rule_file_has_one_rule_of_its_code_and_name() -> None:
    found = {type(rule).__module__: f"{rule.code.lower()}_{rule.name.replace('-', '_')}" for rule in load_rules()}
    files = [path.stem for path in sorted(ROOT.glob("rules/sl*.py"))]
    assert [found[f"shapelint_rules.{stem}"] for stem in files] == files


@pytest.mark.parametrize("arguments", [["--version"], ["rules"], ["explain"], ["explain", "SL101"], ["hook", __file__]])
def test_what_needs_no_torch_imports_none(arguments: list[str]) -> None:
    heavy = ("torch", "onnx", "onnxruntime", "numpy")
    code = (
        "import sys\nfrom shapelint.cli.app import run\n"
        f"code = run({arguments!r})\nfound = [name for name in {heavy!r} if name in sys.modules]\n"
        "sys.exit(f'imported {found}' if found else code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")


def run_tool(*arguments: str) -> None:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_is_content() -> None:
    run_tool("-m", "ruff", "check", ".")


def test_mypy_is_content() -> None:
    run_tool("-m", "mypy", "shapelint", "rules")
