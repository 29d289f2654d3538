"""The report: what one check of one model found, with its forms as methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shapelint.facts.call import Call, Trail
from shapelint.facts.result import CheckResult
from shapelint.report import json, text
from shapelint.report.plain import plain
from shapelint.spec.live import ModelAtHand
from shapelint.spec.write import spec_text

_HEIGHT: Final = 560


@dataclass(frozen=True, slots=True)
class Report(CheckResult):
    """Everything that one check of one model found; `str` is the text report.

    `checked` is the model itself, for what is asked of it later.
    """

    checked: ModelAtHand | None = field(default=None, compare=False, repr=False)

    def spec(self, form: str) -> str:
        """What the contract means for another tool ("torch-export", "onnx", "tensorrt", ..., "json"), as text.

        Raises SpecError for a form that does not exist, and where the text cannot be given.
        """
        if form in self.specs:
            return self.specs[form]
        return spec_text(self, form, None if self.checked is None else self.checked.live())

    def calls_at(self, **sizes: int) -> tuple[Call, ...]:
        """The calls of the run at one size, in its order; each gives its shapes by `at`.

        Where they are not proved, or a turn of a loop stands for many, the model is run there on meta tensors, as long
        as it is at hand; not where the data or chance decide what it does. SpecError for a size that no input can have.
        """
        return tuple(call for call in self.every_call_at(sizes) if not call.composed)

    def every_call_at(self, sizes: Mapping[str, int]) -> tuple[Call, ...]:
        """As `calls_at`, with the calls of functions of the source."""
        self.contract.region_at(sizes)
        asked = None if self.checked is None else self.checked.analysis.calls_at
        if asked is not None:
            return asked(sizes)
        followed = dict[Trail, int]()
        return tuple(call for call in self.every_call if call.given(sizes, followed) is not None)

    def to_json(self) -> str:
        """The text that `--format json` prints for this report alone."""
        return json.render((self,))

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data, as it stands in the list `targets` of the JSON form."""
        return json.report_data(self)

    def _repr_html_(self) -> str:
        """What a notebook shows: the page with the picture, in a frame of its own that runs no script."""
        from html import escape

        from shapelint.report import html

        page = escape(html.render((plain(self),)), quote=True)
        return f'<iframe srcdoc="{page}" sandbox="" style="width:100%;height:{_HEIGHT}px;border:0"></iframe>'

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What IPython shows in a terminal: the text report."""
        printer.text(str(self).rstrip())

    def __str__(self) -> str:
        return text.render((plain(self),))
