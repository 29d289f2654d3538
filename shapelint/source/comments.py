"""Reads the comments `# shapelint: ...` of a source file, which is never imported.

There are two kinds: `input=...` above a class asks for its check (`annotation`), and `ignore[SL201]` on the line of a
finding silences it (`silence`).
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shapelint.errors import SpecError
from shapelint.source.encoding import decoded

WORD: Final = b"shapelint:"
_MARK: Final = re.compile(r"#\s*shapelint:(.*)", re.DOTALL)
_IGNORE: Final = re.compile(r"#\s*shapelint:\s*ignore(?![\w=-])(?P<codes>\[(?P<list>[^\]]*)\])?(?P<rest>[^#]*)")


@dataclass(frozen=True, slots=True)
class Ignore:
    """A comment `# shapelint: ignore[SL201] why`: its place (columns from 1), and the codes it names; () names all.

    `end_column` is that of the brackets, `rest_column` that of the reason behind them.
    """

    line: int
    column: int
    end_column: int
    codes: tuple[str, ...]
    rest_column: int


@dataclass(frozen=True, slots=True)
class Comments:
    """The lines that hold a comment alone, by line what follows `shapelint:` in the others, and the ignores."""

    alone: frozenset[int]
    marked: Mapping[int, str]
    ignores: tuple[Ignore, ...]


def read_comments(data: bytes, file: str) -> Comments:
    """The comments of a source file; SpecError for an `ignore` that cannot be read.

    Raises what `tokenize` does for a text that is no Python.
    """
    return comments_in(decoded(data)[0].removeprefix("\ufeff"), file)


def comments_in(text: str, file: str) -> Comments:
    """The comments of the text of a file; raises as `read_comments` does."""
    source = io.StringIO(text, newline=None)
    tokens = [token for token in tokenize.generate_tokens(source.readline) if token.type == tokenize.COMMENT]
    ignores = {token.start[0]: _ignore(token, file) for token in tokens}
    alone = frozenset(token.start[0] for token in tokens if not token.line[: token.start[1]].strip())
    marks = {token.start[0]: _MARK.match(token.string) for token in tokens if ignores[token.start[0]] is None}
    return Comments(
        alone,
        {line: mark[1] for line, mark in marks.items() if mark},
        tuple(each for each in ignores.values() if each is not None),
    )


def _ignore(token: tokenize.TokenInfo, file: str) -> Ignore | None:
    found = _IGNORE.search(token.string)
    if found is None:
        return None
    line, start = token.start
    codes = tuple(code.strip() for code in (found["list"] or "").split(","))
    rest = found["rest"].strip()
    if (found["codes"] and "" in codes) or (not found["codes"] and rest):
        raise SpecError(f"{file}:{line}: cannot read {found[0].strip()!r}; write `# shapelint: ignore[SL201]`")
    end = start + (found.end("codes") if found["codes"] else found.start("rest"))
    last = start + found.end("rest")
    return Ignore(line, start + found.start() + 1, end + 1, codes if found["codes"] else (), last + 1)
