"""The rows of the table: each function does the works that it compares, and gives their ratios beside the goals.

The goals are those of the project's design. torch is imported only by the rows that run in this process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, product
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import ROOT, compare, compare_processes, python

CACHED = ("-m", "shapelint", "check", "examples/mymodel.py:Net", "--input", "1,3,6,6")
CHECK = (*CACHED[:-2], "--no-cache", *CACHED[-2:])
OPEN = (*CHECK[:-1], "1,3,H,W")
ONE_RUN = """
import torch
from examples.mymodel import Net
with torch.device("meta"):
    net = Net().eval()
with torch.no_grad():
    net(torch.empty(1, 3, 6, 6, device="meta"))
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    measured: str
    goal: str


def one_size(turns: int) -> Iterator[Row]:
    """A whole check on the command line, against a script that runs the model once; and with onnxruntime."""
    _require_answers()
    plain = compare_processes((*CHECK, "--no-confirm"), ("-c", ONE_RUN), turns=turns)
    yield Row(
        "`shapelint check --no-confirm` of one model at one size, against a script that imports torch and runs it once",
        f"{plain.ratio:.2f}x ({plain} of processor time)",
        "at most 0.9x",
    )
    confirmed = compare_processes(CHECK, (*CHECK, "--no-confirm"), turns=turns)
    what = "the same check confirmed by onnxruntime, against unconfirmed"
    yield Row(what, f"{confirmed.ratio:.2f}x ({confirmed} of processor time)", "at most 2.5x")
    many = compare_processes(OPEN, (*OPEN, "--no-confirm"), turns=max(2, turns // 3))
    what = "with open sizes (1,3,H,W) confirmed at many sizes, against unconfirmed"
    yield Row(what, f"{many.ratio:.2f}x ({many} of processor time)", "")


def cached(turns: int) -> Iterator[Row]:
    """The same check again with nothing changed, against importing torch alone."""
    if python(*CACHED) != python(*CHECK):
        raise RuntimeError("the cached check gives another answer")
    again = compare_processes(CACHED, ("-c", "import torch"), turns=turns)
    what = "`shapelint check` again with nothing changed, against `python -c 'import torch'`"
    yield Row(what, f"{again.ratio:.2f}x ({again} of processor time)", "at most 0.12x")


def saved(turns: int) -> Iterator[Row]:
    """What an editor waits for after a save of a U-Net's file, its input inferred, against importing torch alone."""
    from shapelint.editor.process import WarmProcess

    with TemporaryDirectory() as folder, asyncio.Runner() as runner:
        file, process, number = Path(folder, "net.py"), WarmProcess(folder), count()
        lines = (ROOT / "examples" / "unet65.py").read_text().splitlines()
        text = "\n".join(line for line in lines if not line.startswith("# shapelint:"))

        def save() -> None:
            file.write_text(f"{text}\n# {next(number)}\n")
            answer = runner.run(process.check(str(file), 60, lambda: True))
            assert answer is not None
            assert [report.inputs for report in answer.reports.values()] == [("1,3,H,W",)], answer.failures

        warm = compare(save, lambda: python("-c", "import torch"), turns=turns)
        runner.run(process.close())
    what = "from the save of a U-Net's file in an editor to the answer, its input inferred, against importing torch"
    yield Row(what, f"{warm.ratio:.2f}x ({warm})", "at most 0.1x")


def all_sizes(turns: int, *, channels: int = 16, levels: int = 4, sizes: int = 16) -> Iterator[Row]:
    """A U-Net for all H and W, against one run on meta, `sizes` x `sizes` of them, and torch.export."""
    import torch

    import shapelint
    from examples.unet65 import Net

    with torch.device("meta"):
        net = Net(channels, levels).eval()
    step = 2**levels

    def check() -> None:
        assert shapelint.check(net, "1,3,H,W").contract.proved

    def run(height: int = 4 * step, width: int = 6 * step) -> None:
        with torch.no_grad():
            net(torch.empty(1, 3, height, width, device="meta"))

    def run_many() -> None:
        for rows, columns in product(range(1, sizes + 1), repeat=2):
            run(step * rows, step * columns)

    what = f"`shapelint.check` of a U-Net of {levels} levels for all H and W, against"
    once = compare(check, run, turns=4 * turns)
    yield Row(f"{what} one run on meta", f"{once.ratio:.1f}x ({once})", "at most 2x")
    many = compare(run_many, check, turns=max(1, turns // 2))
    yield Row(f"{what} {sizes**2} runs on meta", f"{many.ratio:.0f}x faster ({many})", "")
    # Last: what torch.export leaves in the process makes everything after it slower.
    export = compare(_exporter(net, step), check, turns=turns)
    yield Row(f"{what} torch.export with dynamic H and W", f"{export.ratio:.0f}x faster ({export})", "at least 15x")


def memory(target: str = "benchmarks.models:Huge") -> Iterator[Row]:
    """The memory that the check of a model of ten billion parameters takes at its peak."""
    alone, peak = (int(python("-m", "benchmarks.peak_memory", *arguments)) / 1e9 for arguments in ((), (target,)))
    yield Row(
        "peak memory of the check of a model of 10 billion parameters",
        f"{peak:.2f} GB (importing torch alone: {alone:.2f} GB)",
        "under 2 GB",
    )


def depth(turns: int, *, layers: int = 1000) -> Iterator[Row]:
    """A model of four times the layers."""
    import shapelint
    from benchmarks.models import deep

    small, large = deep(layers), deep(4 * layers)

    def check(net: object) -> None:
        assert shapelint.check(net, "1,4,H,W").contract.proved

    deeper = compare(lambda: check(large), lambda: check(small), turns=turns)
    yield Row(
        f"a model of {4 * layers} layers, against one of {layers}", f"{deeper.ratio:.1f}x ({deeper})", "at most 4x"
    )


def rows(*, quick: bool) -> Iterator[Row]:
    """All rows; the quick ones rest on fewer turns and are noisier."""
    yield from one_size(3 if quick else 11)
    yield from cached(3 if quick else 11)
    yield from saved(3 if quick else 11)
    yield from memory()
    yield from depth(1 if quick else 3)
    yield from all_sizes(2 if quick else 6)


def _require_answers() -> None:
    """A check that is wrong, or that leaves out the confirmation, is not worth timing."""
    plain, confirmed = python(*CHECK, "--no-confirm"), python(*CHECK)
    if "SL101" not in plain or "onnxruntime" in plain or "6x6 with the repair" not in confirmed:
        raise RuntimeError(f"the check to be timed gives a wrong answer:\n{plain}{confirmed}")


def _exporter(net: Callable[..., object], step: int) -> Callable[[], object]:
    """torch.export at the sizes that run, told that they are multiples of `step`: without that it refuses them."""
    import torch

    def export() -> object:
        height, width = (step * torch.export.Dim(name, min=2) for name in ("rows", "columns"))
        image = torch.empty(1, 3, 4 * step, 6 * step, device="meta")
        return torch.export.export(net, (image,), dynamic_shapes=({2: height, 3: width},))  # type: ignore[arg-type]

    return export
