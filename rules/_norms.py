"""A norm over several axes that is built for a map of another size."""

from __future__ import annotations

from shapelint.rule import Diagnosis, Fix, Misfit, Safety, sized

from ._causes import size_taken
from ._words import called

_AXES = 2


def norm_text(diagnosis: Diagnosis, misfit: Misfit) -> tuple[str, Fix] | None:
    """What such a norm is built for and what it gets, and what to write; None for any other layer."""
    built = misfit.node.parameter("normalized_shape") or ()
    taken = size_taken(diagnosis, misfit.node)[-len(built) :] if len(built) > 1 else ()
    if not taken:
        return None
    text = f"{called(misfit.node)} is built for {sized(built)} and gets {sized(taken)}"
    same = f", or take `nn.GroupNorm(1, {taken[0]})`, which norms as much at any size"
    other = same if taken[0] == built[0] and len(built) > _AXES else ""
    return text, Fix(f"build it for `{list(taken)}`{other}", Safety.ADVICE)
