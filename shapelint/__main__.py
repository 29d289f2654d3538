"""Where the command starts, as `shapelint` and as `python -m shapelint`: Ctrl-C during the imports is no traceback."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    try:
        from shapelint.terminal.interrupt import leave_at_ctrl_c

        leave_at_ctrl_c()
        from shapelint.cli.app import main as command

        command()
    except KeyboardInterrupt:
        os.write(2, b"shapelint: interrupted\n")
        os._exit(130)


def _leave_the_folder() -> None:
    """Takes the current folder off the path, where `python -m` puts it first: a `random.py` there is the user's, for
    the time of the model's import alone.
    """
    try:
        if not sys.flags.safe_path and sys.path and sys.path[0] in ("", os.getcwd()):
            del sys.path[0]
    except OSError:  # the folder is gone
        pass


if __name__ == "__main__":
    _leave_the_folder()
    main()
