"""One cause, one finding: channels, pinned sizes, one value, reflect padding and unpooling have rules of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import shapelint
from shapelint.facts.contract import How
from shapelint.facts.finding import Finding

UNET = """
import torch
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc1 = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU())
        self.enc2 = nn.Sequential(nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU())
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ConvTranspose2d(in_channels=16, out_channels=32, kernel_size=2, stride=2)
        self.act = nn.PReLU(4 * 4)
        self.dec = nn.Conv2d(32, 16, 3, padding=1)
        self.head = nn.Linear(in_features=8, out_features=1)

    def forward(self, x):
        skip = self.enc1(x)
        y = self.act(self.up(self.enc2(self.pool(skip))))
        y = self.dec(torch.cat([skip, y], dim=1))
        return self.head(y.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
"""

LENET = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, stride=2, padding=1)
        self.fc = nn.Linear({}, 10)

    def forward(self, x):
        return self.fc(self.conv(x).flatten(1))
"""

SEGNET = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool = nn.MaxPool2d(2, return_indices=True)
        self.unpool = nn.MaxUnpool2d(2)

    def forward(self, x):
        size = x.size()
        y, indices = self.pool(x)
        return {}
"""


def written(folder: Path, source: str) -> str:
    file = folder / f"net{len(list(folder.iterdir()))}.py"
    file.write_text(source)
    return f"{file}:Net"


def only(target: str, spec: str, **options: Any) -> Finding:
    (finding,) = shapelint.check(target, spec, **options).findings
    return finding


def edited(finding: Finding, source: str) -> str:
    """The source with the edits of the finding's fix in it, the last one first."""
    assert finding.fix is not None
    lines = source.splitlines()
    for edit in sorted(finding.fix.edits, key=lambda each: (each.span.line, each.span.column), reverse=True):
        span = edit.span
        assert span.line == span.end_line
        text = lines[span.line - 1]
        lines[span.line - 1] = text[: span.column - 1] + edit.replacement + text[span.end_column - 1 :]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("spec", ["1,3,64,64", "1,3,H,W"])
def test_the_first_misfit_is_named_with_all_that_follow_and_the_edits_mend_them(tmp_path: Path, spec: str) -> None:
    finding = only(written(tmp_path, UNET), spec)
    assert (finding.code, finding.severity, finding.module) == ("SL207", "error", "enc2.1")
    assert finding.message == "`enc2.1` is built for 64 channels and gets 32 from `enc2.0`"
    later = (
        "`up` is built for 16 channels and gets 32",
        "`act` is built for 16 channels and gets 32",
        "`dec` is built for 32 channels and gets 48",
        "`head` is built for 8 features and gets 16",
    )
    assert finding.notes[:2] == (f"with that mended: {'; '.join(later)}", "or let `enc2.0` give 64")
    assert finding.notes[2].endswith("running_mean should contain 32 elements not 64")
    assert finding.fix is not None
    assert finding.fix.safety == "safe"
    assert finding.fix.title.endswith("`nn.PReLU(32)` and 2 more alike")
    repaired = shapelint.check(written(tmp_path, edited(finding, UNET)), spec)
    assert repaired.ok
    assert str(repaired.contract.runs) == "H and W even"


def test_a_fix_that_does_not_make_it_run_is_advice(tmp_path: Path) -> None:
    source = UNET.replace("torch.cat([skip, y], dim=1)", "torch.cat([skip[..., 1:], y], dim=1)")
    findings = shapelint.check(written(tmp_path, source), "1,3,64,64").findings
    assert [finding.code for finding in findings] == ["SL207"]
    assert findings[0].fix is not None
    assert (findings[0].fix.safety, findings[0].fix.edits) == ("advice", ())


def test_a_layer_that_is_called_with_two_widths_is_not_mended() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv2d(3, 8, 1)
            self.block = nn.Conv2d(8, 16, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.block(self.block(self.first(x)))  # type: ignore[no-any-return]

    (finding,) = shapelint.check(Shared, "1,3,H,W").findings
    assert finding.message == "`block, call 2` is built for 8 channels and gets 16 from `block`"
    assert finding.fix is not None
    assert finding.fix.safety == "advice"


def test_a_channels_last_input_is_no_reason_to_edit_the_model() -> None:
    (finding,) = shapelint.check(nn.Conv2d(3, 8, 3), "1,224,224,3").findings
    assert finding.message == "`conv2d` is built for 3 channels and gets 224 from the input"
    permuted, said = finding.notes
    assert permuted == "the last axis has 3: where the input is channels-last, `x.permute(0, 3, 1, 2)` comes first"
    assert said.startswith("PyTorch: RuntimeError: Given groups=1, weight of size [8, 3, 3, 3], expected input[1, ")
    assert finding.fix is not None
    assert finding.fix.edits == ()


def test_a_pinned_size_is_an_error_where_asked_and_else_a_note(tmp_path: Path) -> None:
    target = written(tmp_path, LENET.format("4 * 14 * 14"))
    error = only(target, "1,1,32,32")
    assert (error.code, error.severity) == ("SL304", "error")
    assert error.message == "`fc` takes 784 features, and 32x32 gives it 1024"
    assert "nearest to 32x32 that run: 28x28" in error.notes
    assert "for every size, put `nn.AdaptiveAvgPool2d(14)` before the flatten" in error.notes
    assert error.fix is not None
    assert (error.fix.safety, error.fix.title) == ("unsafe", "write `nn.Linear(1024, 10)`, for 32x32")
    assert shapelint.check(written(tmp_path, edited(error, LENET.format("4 * 14 * 14"))), "1,1,32,32").ok
    note = only(target, "1,1,H,W")
    assert (note.code, note.severity) == ("SL304", "note")
    assert shapelint.check(target, "1,1,28,28").findings == ()


def test_a_pin_that_no_size_meets_is_safely_moved_to_the_asked_size(tmp_path: Path) -> None:
    target = written(tmp_path, LENET.format("787"))
    finding = only(target, "1,1,32,32")
    assert finding.fix is not None
    assert finding.fix.safety == "safe"
    assert only(target, "1,1,H,W").severity == "error"
    assert only(target, "1,1,H,W").fix is None


def test_an_unpooling_that_depends_on_values_is_undecided_and_an_error_where_asked(tmp_path: Path) -> None:
    target = written(tmp_path, SEGNET.format("self.unpool(y, indices)"))
    finding = only(target, "1,3,5,7", confirm=("cpu",))
    assert (finding.code, finding.severity) == ("SL206", "error")
    assert finding.location is not None
    assert finding.location.text().strip() == "return self.unpool(y, indices)"
    assert finding.fix is not None
    call = "self.unpool(y, indices, output_size=size)"
    assert finding.fix.title == f"write `{call}`"
    contract = shapelint.check(target, "1,3,H,W").contract
    assert (contract.outcome(H=5, W=7).ok, contract.outcome(H=6, W=8).how) == (None, How.PROVED)
    repaired = shapelint.check(written(tmp_path, SEGNET.format(call)), "1,3,H,W")
    assert repaired.findings == ()
    assert str(repaired.contract.restores) == "H and W at least 2"


def test_a_skip_that_an_unpooling_misses_is_told_as_the_unpooling(tmp_path: Path) -> None:
    finding = only(written(tmp_path, SEGNET.format("x + self.unpool(y, indices)")), "1,3,5,6")
    assert finding.code == "SL206"
    assert finding.message == "`unpool` gives back 4x6 where `pool` took 5x6"


def test_a_batch_norm_speaks_in_training_only() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(4))
    assert shapelint.check(net, "1,3,32,32").findings == ()
    assert shapelint.check(net, "2,3,32,32", train=True).findings == ()
    (finding,) = shapelint.check(net, "1,3,32,32", train=True).findings
    assert (finding.code, finding.message) == ("SL302", "`2` gets 1x4x1x1: one value per channel")


def test_tiny_sizes_are_worth_no_note() -> None:
    same = nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect")
    assert shapelint.check(same, "1,3,H,W").findings == ()
    (finding,) = shapelint.check(same, "1,3,1,9").findings
    assert (finding.code, finding.message) == ("SL303", "`pad` gets 1x9, too small to reflect 1 row")


def test_an_unportable_output_padding_warns_where_a_runtime_is_at_stake() -> None:
    layer = nn.ConvTranspose2d(2, 2, 3, dilation=2, padding=2, output_padding=1)
    assert [(each.code, each.severity) for each in shapelint.check(layer, "1,2,6,6").findings] == [("SL104", "note")]
    report = shapelint.check(layer, "1,2,6,6", confirm=("cpu",))
    assert [(each.code, each.severity) for each in report.findings] == [("SL104", "warning")]
    assert report.findings[0].fix is not None
    assert report.findings[0].fix.title == (
        "write `padding=1` without `output_padding`, and cut its output: `[..., 1:, 1:]`"
    )
    other = nn.ConvTranspose2d(2, 2, 3, dilation=2, padding=1)
    other.load_state_dict(layer.state_dict())
    x = torch.rand(1, 2, 6, 6)
    torch.testing.assert_close(other(x)[..., 1:, 1:], layer(x))


PRODUCT = """
from torch import nn


class Net(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, width, 3, padding=1), nn.MaxPool2d(2))
        self.fc = nn.Linear(width * 14 * 14, 10)

    def forward(self, x):
        return self.fc(self.body(x).flatten(1))
"""


def test_both_sides_of_a_map_are_written_where_they_stand_in_the_features(tmp_path: Path) -> None:
    finding = only(written(tmp_path, PRODUCT), "1,1,32,32")
    repaired = edited(finding, PRODUCT)
    assert "nn.Linear(width * 16 * 16, 10)" in repaired
    names: dict[str, Any] = {}
    exec(repaired, names)
    assert names["Net"]()(torch.zeros(2, 1, 32, 32)).shape == (2, 10)


def test_a_quotient_of_numbers_is_a_number(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text("from torch import nn\n\nNet = lambda: nn.Sequential(nn.Linear(64, 4), nn.Linear(64 // 8, 64))\n")
    (finding,) = shapelint.check(f"{path}:Net", "2,64").findings
    assert finding.fix is not None
    assert finding.fix.title == "write `nn.Linear(4, 64)`"


def test_a_signal_with_its_channels_last_is_turned(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text("from torch import nn\n\nNet = lambda: nn.Sequential(nn.Conv1d(4, 16, 5), nn.ReLU())\n")
    (finding,) = shapelint.check(f"{path}:Net", "32,100,4").findings
    assert finding.fix is not None
    assert finding.fix.title == "put `.transpose(1, 2)` ahead of `0`: axis 2 has the 4, or build `0` for 100"
