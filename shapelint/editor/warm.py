"""A process that has torch loaded and waits for files to check: what it imports, no check has to import again.

It reads one JSON object a line and answers with one. The user's code runs in children that it forks, each of which ends
after its file; neither this process nor the server ever imports it.
"""

from __future__ import annotations

import base64
import json
import linecache
import os
import sys
from typing import Any

from shapelint.caches import forget
from shapelint.errors import ShapelintError
from shapelint.jobs import serialized
from shapelint.jobs.pool import Running
from shapelint.jobs.targets import TargetReader
from shapelint.request.options import CheckOptions
from shapelint.terminal.error_lines import subject_line


def main() -> None:
    """Answers until standard input ends; what anybody prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    from shapelint.editor.warm_up import warm_up  # torch, once

    warm_up()
    for line in sys.stdin:
        answers.write(json.dumps(answered(json.loads(line))) + "\n")
        answers.flush()


def answered(request: dict[str, Any]) -> dict[str, Any]:
    """The reports on the models of a file, serialized, and a line for each that could not be checked."""
    file, failures = request["file"], list[str]()
    linecache.checkcache()
    forget(0)
    options = CheckOptions(calls=True, cache=False, timeout=request["timeout"], usual_confirm=())
    try:
        jobs = TargetReader(options).of_target(file)
        running = Running(jobs, lambda text, failed: failures.append(text), warm=True)
        running.run(1)
    except ShapelintError as error:
        return {"reports": [], "failures": [subject_line(file, error)]}
    written = (serialized.dumps(report) for _, report in sorted(running.reports.items()))
    return {"reports": [base64.b64encode(data).decode() for data in written], "failures": failures}


if __name__ == "__main__":
    main()
