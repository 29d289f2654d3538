"""Where any exception is caught: around foreign code, with a bug of ours let out, and in the few places listed here."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SOURCES = sorted([*ROOT.glob("shapelint/**/*.py"), *ROOT.glob("rules/**/*.py")])
BROAD = {"Exception", "BaseException"}

# By file: how many handlers take in any exception and neither let a bug of ours out nor raise it again, and why.
ALLOWED = {
    "shapelint/cli/app.py": (1, "the end of the command: one line that says whose the exception is, and exit code 2"),
    "shapelint/cli/checker.py": (1, "the same for one target, so that the others are still checked"),
    "shapelint/confirm/worker.py": (
        3,
        "onnxruntime's own calls; and a bug of the program, handed to the other process",
    ),
    "shapelint/errors.py": (1, "the `__str__` of an exception is the user's code, and may raise"),
    "shapelint/instrument/standins.py": (1, "a proxy of a module that is not installed, which raises as it likes"),
    "shapelint/jobs/serialized.py": (1, "bytes of any origin; the exception is told"),
    "shapelint/jobs/worker.py": (2, "the end of a check: one line that says whose the exception is, and exit code 2"),
    "shapelint/source/ownership.py": (1, "what lies in sys.modules may answer by code of its own"),
    "shapelint/trace/recorder.py": (1, "torch is asked whose the exception is, and it or an InternalError is raised"),
    "shapelint/trace/recording/unforeseen.py": (1, "what torch raises for the model's call is raised again, else ours"),
}


def handlers(path: Path) -> Iterator[ast.ExceptHandler]:
    """The handlers of a file that take in any exception."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(kind is None or ast.unparse(kind) in BROAD for kind in kinds):
                yield node


def lets_out(handler: ast.ExceptHandler) -> bool:
    """Whether a handler begins with `let_out(error)`, or ends by raising what it caught."""
    last = handler.body[-1]
    again = isinstance(last, ast.Raise) and last.exc is None
    return again or ast.unparse(handler.body[0]) == f"let_out({handler.name})"


def test_only_these_files_take_in_any_exception() -> None:
    found = Counter(
        str(path.relative_to(ROOT)) for path in SOURCES for handler in handlers(path) if not lets_out(handler)
    )
    assert found == {file: count for file, (count, _) in ALLOWED.items()}


def test_nothing_suppresses_any_exception() -> None:
    for path in SOURCES:
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        suppressing = [call for call in calls if ast.unparse(call.func).rpartition(".")[2] == "suppress"]
        assert not [call for call in suppressing if BROAD & {ast.unparse(argument) for argument in call.args}], path
