"""Where the command starts, as `shapelint` and as `python -m shapelint`: Ctrl-C during the imports is no traceback."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn


def main() -> NoReturn:
    """Runs the command line and ends the process with its exit code."""
    try:
        from shapelint.cli import main as command

        command()
    except KeyboardInterrupt:
        sys.stderr.write("shapelint: interrupted\n")
        sys.stderr.flush()
        os._exit(130)  # Python itself may end by the signal, where an `exec` was interrupted


def _leave_the_folder() -> None:
    """Takes the current folder off the path, where `python -m` puts it first: a `random.py` there is the user's, for
    the time of the model's import alone.
    """
    with suppress(OSError):
        if not sys.flags.safe_path and sys.path and sys.path[0] in ("", os.getcwd()):
            del sys.path[0]


if __name__ == "__main__":
    _leave_the_folder()
    main()
