"""A hand-made pad that rounds a size up to multiples of another number than the layers need: the finding."""

from __future__ import annotations

from shapelint.rule import Analysis, Edit, Finding, Fix, Safety, Severity, ShortPadding, sized

from ._words import nearest_note, said_note


def short_finding(analysis: Analysis, short: ShortPadding, code: str, name: str) -> Finding:
    """What the pad makes of the size, and the number to write, which is tried before it is more than advice."""
    focus = {} if analysis.diagnosis is None else dict(analysis.diagnosis.focus)
    up = f"`pad` rounds up to multiples of {short.multiple}" if short.multiple > 1 else None
    notes = (up, nearest_note(analysis, focus), said_note(analysis))
    edits = tuple(Edit(place, str(short.step)) for place in short.written)
    text = f": write {short.step} instead of {short.multiple}" if edits else ""
    return Finding(
        code=code,
        name=name,
        severity=Severity.ERROR,
        message=f"`pad` makes it {sized(short.made)}, where the layers need multiples of {short.step}",
        notes=tuple(note for note in notes if note),
        module=None,
        location=short.written[0] if short.written else short.place,
        fix=Fix(f"pad to multiples of {short.step}{text}", Safety.ADVICE, edits=edits),
    )
