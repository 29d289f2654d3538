"""Prints the table, a row as soon as it is measured."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.rows import Row, rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs, noisier figures")
    quick = parser.parse_args(arguments).quick
    _write(Row("what", "measured", "goal"))
    _write(Row("---", "---", "---"))
    for row in rows(quick=quick):
        _write(row)


def _write(row: Row) -> None:
    sys.stdout.write(f"| {row.what} | {row.measured} | {row.goal} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
