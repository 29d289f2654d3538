"""The blocks of a Markdown file that a person copies: files, programs, and commands with what they print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"(?P<marks>(?:<!-- .*? -->\n+)?)^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ (.*)\n", re.MULTILINE)
_FILE = re.compile(r"# (?P<name>[\w/]+\.py)\n")
NOT_RUN = "<!-- not run"


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code with its language, the line on which its text begins, and whether it is meant to be run."""

    kind: str
    text: str
    line: int
    runs: bool

    @property
    def file(self) -> str | None:
        """The file that a program says it is, in its first line."""
        found = _FILE.match(self.text)
        return found["name"] if found and self.kind == "python" else None

    def commands(self) -> Iterator[tuple[str, str]]:
        """The commands of a block, each with what it prints."""
        parts = _COMMAND.split(self.text)
        yield from zip(parts[1::2], parts[2::2], strict=True)


def blocks(file: Path) -> tuple[Block, ...]:
    """The blocks of a Markdown file that name their language."""
    text = file.read_text(encoding="utf-8")
    return tuple(
        Block(each["kind"], each["text"], text.count("\n", 0, each.start("text")) + 1, NOT_RUN not in each["marks"])
        for each in _BLOCK.finditer(text)
    )
