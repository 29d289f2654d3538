"""Sizes that people compute: halves and doubles of a shape by every operator and function that Python has for it."""

from __future__ import annotations

from tests.drawn.writer import Writer

HALVES = (
    "{} // 2", "({} + 1) // 2", "max({} // 2, 1)", "{} // 3 + 1", "{} >> 1", "-(-{} // 2)", "int({} / 2)",
    "math.ceil({} / 2)", "math.floor({} * 0.5)", "round({} / 2)", "int(math.ceil({} / 4.0))", "{} - {} // 2",
    "divmod({}, 2)[0] + divmod({}, 2)[1]", "min({} // 2, 24)", "int({} * 0.75)", "({} - 1) // 2 + 1",
    "int(np.ceil({} / 2))", "int(round({} / 2.0))", "sum(divmod({}, 3))", "{} // 2 + {} % 2", "max(1, {} - 7)",
)  # fmt: skip
DOUBLES = (
    "{} * 2", "2 * {} - 1", "2 * {} + 1", "{} << 1", "{} + {}", "int({} * 2.0)", "int({} * 1.5)", "round({} * 2.5)",
    "math.ceil({} * 1.5)", "3 * {} - 2", "({} - 1) * 2 + 3 - 2", "int({} // 0.5)", "math.floor({} / 0.5)",
)  # fmt: skip


def computed(writer: Writer, forms: tuple[str, ...]) -> str:
    """A tuple of sizes, each a computed one of the same axis of `x`."""
    form = writer.pick(*forms)
    sizes = [writer.pick("x.shape[{}]", "x.size({})").format(axis) for axis in range(2, writer.rank + 2)]
    return f"({', '.join(form.replace('{}', size) for size in sizes)},)"
