"""The forms of a spec by their names."""

from __future__ import annotations

from shapelint.errors import SpecError, nearest
from shapelint.facts.result import CheckResult
from shapelint.spec import size_check
from shapelint.spec.forms import FORMS
from shapelint.spec.live import Live


def spec_text(report: CheckResult, form: str, live: Live | None) -> str:
    """The text of a spec. Raises SpecError for a form that does not exist, and where the text cannot be given."""
    if form not in FORMS:
        raise SpecError(f"unknown form of a spec {form!r}{nearest(form, FORMS)}")
    if form == "json":
        return report.contract.to_json()
    if form == "python":
        return size_check.render(report)
    if form == "onnx":
        from shapelint.spec import onnx_export

        return onnx_export.render(report, live)
    from shapelint.spec import torch_export

    return torch_export.render(report, live)
