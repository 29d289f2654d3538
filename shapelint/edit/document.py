"""A source file as it is on disk, edits of it, and what they give; encoding, newlines and permissions stay."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shapelint.errors import EditError, escaped
from shapelint.source.encoding import decoded
from shapelint.source.span import Edit, Span

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


@dataclass(frozen=True, slots=True)
class Document:
    """The text of a file with its own newlines, and the encoding that it declares."""

    file: str
    text: str
    encoding: str

    @classmethod
    def read(cls, file: str) -> Document:
        """The file as it is now; EditError where it cannot be read as Python source."""
        try:
            data = Path(file).read_bytes()
            return cls(file, *decoded(data))
        except (OSError, SyntaxError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise EditError(f"cannot read {file}: {reason}") from error

    @property
    def data(self) -> bytes:
        """The bytes of the text, in the file's encoding."""
        return self.text.encode(self.encoding)

    def edited(self, edits: Iterable[Edit]) -> Document:
        """The document with the edits made; EditError where two of them overlap."""
        ends = list(_LINE_END.finditer(self.text))
        starts = [0, *(match.end() for match in ends)]
        text, last = self.text, len(self.text) + 1
        for edit in sorted(dict.fromkeys(edits), key=_position, reverse=True):
            start = starts[edit.span.line - 1] + edit.span.column - 1
            end = starts[edit.span.end_line - 1] + edit.span.end_column - 1
            if not start <= end <= min(last, len(text)) or start == last:
                raise EditError(f"two fixes change the same text ({edit.span})")
            newline = ends[min(edit.span.line, len(ends)) - 1][0] if ends else "\n"  # that of the line itself
            text, last = text[:start] + edit.replacement.replace("\n", newline) + text[end:], start
        return Document(self.file, text, self.encoding)

    def difference(self, other: Document, name: str) -> str:
        """The unified diff from this document to another one, under a name."""
        before, after = (_LINE.findall(each.text) for each in (self, other))
        lines = difflib.unified_diff(before, after, _quoted(f"a/{name}"), _quoted(f"b/{name}"))
        return "".join(map(_ended, lines))


def _ended(line: str) -> str:
    """A line of a diff with a newline at its end, also where the file ends its lines with carriage returns."""
    if line.endswith("\n"):
        return line
    return f"{line[:-1]}\n" if line.endswith("\r") else f"{line}\n\\ No newline at end of file\n"


def _quoted(name: str) -> str:
    """The name as git and patch write one that would act on a terminal or end its line: in quotes, bytes in octal."""
    if escaped(name) == name:
        return name
    plain = (chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03o}" for byte in os.fsencode(name))
    return f'"{"".join(plain)}"'


def _position(edit: Edit) -> tuple[int, int, int, int]:
    span: Span = edit.span
    return span.line, span.column, span.end_line, span.end_column


def texts(edits: Iterable[Edit]) -> dict[str, bytes]:
    """The files that some edits change, as they then are; EditError where two of them overlap."""
    by_file: dict[str, list[Edit]] = {}
    for edit in edits:
        by_file.setdefault(edit.span.file, []).append(edit)
    return {file: Document.read(file).edited(each).data for file, each in by_file.items()}
