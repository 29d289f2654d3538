"""The one text that gives several layers half of their padding, by an expression such as `(kernel - stride) // 4`."""

from __future__ import annotations

from collections.abc import Sequence

from shapelint.diagnosis.candidates import changed, is_whole
from shapelint.diagnosis.layer_groups import Group
from shapelint.facts.diagnosis import Change
from shapelint.facts.graph import Node
from shapelint.source.span import Span

_SEVERAL = 2


def halved_paddings(groups: Sequence[Group]) -> list[Change]:
    """Twice the padding, or one more, for the layers of the one text that give a whole part or multiple with that;
    [] where there are several such texts, where one of its layers is odd otherwise, or all are to have the same.
    """
    texts: dict[Span, list[Node]] = {}
    for node, *_ in groups:
        if node.built is not None and node.operation.startswith("conv"):
            texts.setdefault(node.built, []).append(node)
    found = [change for nodes in texts.values() if (change := _doubled(nodes)) is not None]
    return found if len(found) == 1 else []


def _doubled(nodes: Sequence[Node]) -> Change | None:
    """The change of the layers of one text, to unlike paddings: so some are padded, and none lacks it on purpose."""
    changes = [_changed(node) for node in nodes if not is_whole(node)]
    made = [each for each in changes if each is not None]
    if len(made) < len(changes) or len({each.value for each in made}) < _SEVERAL:
        return None
    first, *rest = made
    others = tuple((each.module, each.value) for each in rest)
    return Change(first.module, "padding", first.given, first.value, first.built, (), others)


def _changed(node: Node) -> Change | None:
    """The padding of which a floor division by 2 gives what a layer has, where it is whole with that."""
    given = node.parameter("padding")
    for more in (0, 1) if given else ():
        change = Change(node.module, "padding", given or (), tuple(2 * rows + more for rows in given or ()), node.built)
        if is_whole(changed(node, change)):
            return change
    return None
