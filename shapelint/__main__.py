"""Where the command starts, as `shapelint` and as `python -m shapelint`: Ctrl-C during the imports is no traceback."""

from __future__ import annotations

import os
import sys
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


if __name__ == "__main__":
    main()
