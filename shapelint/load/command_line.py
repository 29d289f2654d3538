"""The command line that a program reads as it is imported or built: it is empty here, and what it lacks is one line."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from typing import NoReturn


class CommandLineExit(SystemExit):
    """What argparse says of a command line before it ends the program, without the usage that it prints."""

    def __init__(self, text: str) -> None:
        super().__init__(2)
        self.text = text


@contextlib.contextmanager
def no_arguments(program: str = "") -> Iterator[None]:
    """The state in which `argparse` finds no arguments, so that each has its default: those here are shapelint's.

    Without a program `sys.argv` stays as it is. One that needs arguments raises CommandLineExit.
    """
    before, error = sys.argv, argparse.ArgumentParser.error
    sys.argv = [program] if program else before
    argparse.ArgumentParser.error = _refuse  # type: ignore[method-assign]
    try:
        yield
    finally:
        sys.argv = before
        argparse.ArgumentParser.error = error  # type: ignore[method-assign]


def _refuse(self: argparse.ArgumentParser, message: str) -> NoReturn:
    raise CommandLineExit(message)
