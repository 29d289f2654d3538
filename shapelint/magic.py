"""`%shapelint Net 1,3,H,W`: a check in one line of a notebook or of IPython."""

from __future__ import annotations

from typing import Any

from shapelint.errors import ShapelintError
from shapelint.source.fault import call_foreign
from shapelint.terminal import output

_USAGE = "write %shapelint Net, or with inputs %shapelint Net 1,3,H,W"


def load_ipython_extension(shell: Any) -> None:
    """Adds `%shapelint` to a shell of IPython; for `%load_ext shapelint`."""

    def shapelint(line: str) -> Any:
        """Checks a model: `%shapelint Net` infers its input, `%shapelint Net 1,3,H,W 1,77:int64` is told it.

        Net is a name of the notebook, or a target such as net.py:Net. Gives the report.
        """
        return checked(line, shell.user_ns)

    shell.register_magic_function(shapelint, "line", "shapelint")


def checked(line: str, names: dict[str, Any]) -> Any:
    """The report on the model that a line names, by the names of a notebook; None where the check cannot be done."""
    from shapelint.engine import check

    target, *inputs = line.split() or [""]
    try:
        return check(_meant(target, names), inputs or None, picture=True)
    except ShapelintError as error:
        output.tell(str(error))
        return None


def _meant(target: str, names: dict[str, Any]) -> Any:
    """What a target of the line stands for: a name of the notebook with its attributes, or a target of its own."""
    if ":" in target:
        return target
    first, *rest = target.split(".")
    if first not in names:
        raise ShapelintError(f"there is no {first!r} in the notebook; {_USAGE}" if first else _USAGE)
    found = names[first]
    for each in rest:
        try:
            found = call_foreign(getattr, found, each)
        except AttributeError:
            raise ShapelintError(f"{target!r}: there is no {each!r} in it") from None
    return found
