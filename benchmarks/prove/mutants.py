"""Right models broken in one place: whether that is found, and whether what is offered as a fix gives the size back.

The sources are the right models of tests/cases; a mutation changes one number, drops one argument or one crop, or swaps
two axes. Eager PyTorch says what the source gave and what the mutant does.
"""

from __future__ import annotations

import ast
import random
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path

import torch

import shapelint
from benchmarks.prove.trial import Trial
from shapelint.edit.arguments import removed
from shapelint.edit.document import texts
from shapelint.errors import ModelError, TargetError
from shapelint.facts.finding import Finding, Safety, Severity
from shapelint.report.report import Report
from shapelint.source.span import Edit, span_of
from shapelint.source.syntax import tree
from tests.case_files import FOLDER, read_case
from tests.drawn.load import load_path
from tests.oracle import Shape, attempt, given

_LAYERS = ("Conv", "Pool", "Linear", "Upsample", "Unfold", "Shuffle", "Pad", "interpolate", "pad", "pool")
_DROPPED = ("output_padding", "padding", "stride", "dilation", "ceil_mode", "output_size")
_STEPS = (1, -1, 2)


@dataclass(frozen=True, slots=True)
class Source:
    """A right model: its file, its class, and the inputs that it takes."""

    path: Path
    name: str
    inputs: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A source whose text is changed on one line, with what eager PyTorch gave before, and gives now; None: raises."""

    source: Source
    text: str
    line: int
    change: str
    before: tuple[Shape, ...]
    after: tuple[Shape, ...] | None


@dataclass(frozen=True, slots=True)
class Judged:
    """What a report says of a mutant: the finding's lines, and for each edit of a fix what eager PyTorch then gives."""

    mutant: Mutant
    report: Report
    lines: tuple[int, ...]
    fixed: tuple[tuple[Finding, tuple[Shape, ...] | None], ...]

    @property
    def found(self) -> bool:
        return not self.report.ok

    @property
    def blamed(self) -> bool:
        """Whether a finding, or its fix, is at the changed line."""
        return self.mutant.line in self.lines


def trial(seed: int) -> Trial:
    """One mutant: a raise that is called ok, and a safe fix that does not give the source's sizes, are contradicted.

    A size that changes and of which nothing is said is not decided: the model may be meant so.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mutant = drawn(seed)
        if mutant is None:
            return Trial(0)
        try:
            judged = judge(mutant)
        except (ModelError, TargetError):  # it raises for no reason of size, or is not built: told in one line
            return Trial(int(mutant.after is None))
    where = f"mutants, trial {seed}: {mutant.source.path.name}:{mutant.line} {mutant.change}"
    wrong = []
    if mutant.after is None and not judged.found:
        wrong.append(f"{where}: raises, and is called ok")
    for finding, gives in judged.fixed:
        if finding.fix is not None and finding.fix.safety is Safety.SAFE and gives != mutant.before:
            wrong.append(f"{where}: {finding.code} {finding.fix.title}: gives {gives}, not {mutant.before}")
    return Trial(1 + len(judged.fixed), tuple(wrong), int(not judged.found))


def drawn(seed: int) -> Mutant | None:
    """The mutant of a number; None where the change made no difference to the sizes."""
    numbers = random.Random(seed)
    source = numbers.choice(sources())
    words, edit = numbers.choice(changes(source.path))
    text = texts([edit])[str(source.path)].decode()
    before, after = _gives(source.path.read_text(), source), _gives(text, source)
    if before is None or before == after:
        return None
    return Mutant(source, text, edit.span.line, words, before, after)


def judge(mutant: Mutant) -> Judged:
    """The report on a mutant, and its fixes, each alone, applied to a copy and run in eager PyTorch."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "mutant.py")
        path.write_text(mutant.text)
        specs = [",".join(map(str, shape)) for shape in mutant.source.inputs]
        report = shapelint.check(f"{path}:{mutant.source.name}", specs)
        shown = [each for each in report.findings if each.severity is not Severity.NOTE]
        lines = [each.location.line for each in shown if each.location is not None]
        fixes = [each for each in shown if each.fix is not None and each.fix.edits]
        lines += [edit.span.line for each in fixes if each.fix for edit in each.fix.edits]
        safe = {each.fix.safety for each in fixes if each.fix} <= {Safety.SAFE, Safety.UNSAFE}
        fixed: tuple[tuple[Finding, tuple[Shape, ...] | None], ...] = ()
        if fixes and safe:
            edits = [edit for each in fixes if each.fix for edit in each.fix.edits]
            (content,) = texts(edits).values()
            gives = _gives(content.decode(), mutant.source)
            fixed = tuple((each, gives) for each in fixes)
    return Judged(mutant, report, tuple(lines), fixed)


@lru_cache(maxsize=1)
def sources() -> tuple[Source, ...]:
    """The right models of the cases: `Fixed`, or `Net` where that is right."""
    found = []
    for path in sorted(FOLDER.glob("c*.py")):
        case = read_case(path)
        right = case.verdict == "ok"
        if right or case.fixed is not None:
            found.append(Source(path, "Net" if right else "Fixed", case.inputs if right else case.fixed_inputs))
    return tuple(each for each in found if _gives(each.path.read_text(), each) is not None)


def _gives(text: str, source: Source) -> tuple[Shape, ...] | None:
    """The shapes that eager PyTorch gives for a text; None where it raises."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"source_{abs(hash(text))}.py")
        path.write_text(text)
        try:
            module = getattr(load_path(path), source.name)().eval()
        except Exception:  # the mutant cannot be built
            return None
        return given(attempt(module, *map(torch.ones, source.inputs)))


@lru_cache(maxsize=256)
def changes(path: Path) -> tuple[tuple[str, Edit], ...]:
    """Every change of one place in a module, in words and as an edit."""
    found = []
    for node in ast.walk(tree(str(path))):
        for old, new in _of_node(node):
            edit = Edit(span_of(str(path), old), new)
            found.append((f"`{edit.span.content()}` to `{new}`", edit))
        for name in _DROPPED if isinstance(node, ast.Call) else ():
            dropped = removed(str(path), node, name)
            if dropped is not None:
                found.append((f"`{name}` dropped", dropped))
    return tuple(found)


def _of_node(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """The parts of a node that can be changed, each with what is written there instead."""
    if isinstance(node, ast.Call):
        yield from _of_call(node, ast.unparse(node.func).rpartition(".")[2])
    elif isinstance(node, ast.Subscript) and _is_cropped(node.slice):
        yield node, ast.unparse(node.value)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.FloorDiv | ast.Mod) and _number(node.right):
        yield node.right, str(2 * _number(node.right))


def _of_call(node: ast.Call, name: str) -> Iterator[tuple[ast.expr, str]]:
    arguments = [*node.args, *(word.value for word in node.keywords)]
    if any(part in name for part in _LAYERS):
        skipped = 2 if name.startswith("Conv") else 0
        listed = (each.elts if isinstance(each, ast.Tuple) else [each] for each in arguments[skipped:])
        for part in chain.from_iterable(listed):
            if isinstance(part, ast.Constant) and type(part.value) is int:
                yield from ((part, str(part.value + step)) for step in _STEPS if part.value + step >= 0)
    elif name in ("cat", "softmax", "flatten", "unsqueeze"):
        yield from ((each, str(_number(each) + 1)) for each in arguments if _number(each))
    elif name in ("permute", "transpose") and len(node.args) > 1:
        yield node.args[-1], ast.unparse(node.args[-2])
    elif name in ("view", "reshape"):
        yield from ((each, str(_number(each) * 2)) for each in arguments if _number(each))


def _number(node: ast.expr) -> int:
    """The value of a literal integer; 0 for anything else."""
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else 0


def _is_cropped(node: ast.expr) -> bool:
    """Whether brackets take a part of some axis whose size they name."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return any(isinstance(part, ast.Slice) and part.upper is not None for part in parts)
