"""Writes the inputs that were assumed as comments above the classes, or shows what would be written."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from shapelint.cli.checker import Checker
from shapelint.edit.document import Document
from shapelint.errors import EditError
from shapelint.jobs.targets import model_key
from shapelint.request.annotation import comment_place
from shapelint.source.ownership import shown
from shapelint.source.span import Edit, Span
from shapelint.source.syntax import file_tree
from shapelint.terminal import output


def write_inputs(checker: Checker, *, only_shown: bool) -> None:
    """Writes a comment for each model whose inputs were assumed; with `only_shown` the report becomes the diff.

    Raises EditError where a file cannot be read or would not be the same program.
    """
    edits: dict[str, list[Edit]] = {}
    for file, edit in _edits(checker):
        edits.setdefault(file, []).append(edit)
    before = {file: Document.read(file) for file in edits}
    after = {file: document.edited(edits[file]) for file, document in before.items()}
    for file, document in after.items():
        if ast.dump(ast.parse(document.data)) != ast.dump(ast.parse(before[file].data)):
            raise EditError(f"{shown(file)} would be another program with the comment; nothing was written")
    if only_shown:
        checker.text = "".join(before[file].difference(after[file], shown(file)) for file in sorted(after))
        return
    for file, document in after.items():
        output.write_bytes(file, document.data)
    for file, made in edits.items():
        for edit in made:
            output.tell(f"wrote `{edit.replacement.strip()}` into {shown(file)}:{edit.span.line}")


def _edits(checker: Checker) -> Iterator[tuple[str, Edit]]:
    for number in sorted(checker.reports):
        comment = checker.reports[number].comment
        file, name = model_key(checker.jobs[number].target, str(Path.cwd()))
        place = comment_place(file_tree(file), name) if comment and file.endswith(".py") else None
        if place is not None:
            line, indent = place
            yield file, Edit(Span(file, line, 1, line, 1), f"{indent}{comment}\n")
