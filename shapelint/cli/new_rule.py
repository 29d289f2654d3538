"""The skeleton of a rule, as a file whose examples hold: what an author changes line by line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from shapelint.errors import RuleError
from shapelint.registry import load_rules

_CODE: Final = re.compile(r"[A-Z]{2,8}[0-9]{3}")
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

_SKELETON: Final = '''"""{code}: TODO what the rule finds, in one line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import Analysis, Finding, Fix, Invalid, Safety, Severity, Valid

_NET = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, stride={{}}, padding=1){{}}

    def forward(self, x):
        return self.down(x)
"""


class {title}:
    """TODO what the rule finds, as a sentence.

    ## What it does

    TODO when it speaks, and when not.

    ## Why it is bad

    TODO what goes wrong for the person.

    ## Fix

    TODO what to write instead, and how safe that is.
    """

    code: ClassVar[str] = "{code}"
    name: ClassVar[str] = "{name}"
    valid: ClassVar[tuple[Valid, ...]] = (Valid(_NET.format(2, ""), "1,3,H,W"),)
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(_NET.format(7, "  # <-- {code}"), "1,3,H,W", "`down` has a stride of 7"),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields one finding for each layer that TODO."""
        for layer in analysis.layers:
            if max(layer.parameters.get("stride", (1,))) == 7:
                yield Finding(
                    code=self.code,
                    name=self.name,
                    severity=Severity.NOTE,
                    message=f"`{{layer.module}}` has a stride of 7",
                    module=layer.module,
                    location=layer.built,
                    fix=Fix("TODO what to write", Safety.ADVICE),
                )
'''


def new_rule(code: str, name: str, folder: Path) -> Path:
    """Writes the skeleton of a rule into a folder and returns its file.

    Raises RuleError where the code or the name is taken or no code or name, or where the file is there already.
    """
    if not _CODE.fullmatch(code):
        raise RuleError(f"{code!r} is no code of a rule; write letters and three digits, such as XY101")
    if not _NAME.fullmatch(name):
        raise RuleError(f"{name!r} is no name of a rule; write words with hyphens, such as skipped-rows")
    for rule in load_rules():
        if rule.code == code or rule.name == name:
            raise RuleError(f"{rule.code} {rule.name} is a rule already; choose another code and name")
    file = folder / f"{code.lower()}_{name.replace('-', '_')}.py"
    title = "".join(word.capitalize() for word in name.split("-"))
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(_SKELETON.format(code=code, name=name, title=title))
    except FileExistsError:
        raise RuleError(f"{file} is there already") from None
    return file
