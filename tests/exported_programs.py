"""The comparison of the contract of a .pt2 file with the program itself, which eager PyTorch runs."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from shapelint.terminal.quiet import quiet
from tests.onnx_graphs import Shapes, contract_of
from tests.oracle import attempt, given


def exported(model: torch.nn.Module, args: tuple[Any, ...], file: Path, **options: Any) -> str:
    """The path of the file in which the program is saved."""
    with quiet():
        torch.export.save(torch.export.export(model.eval(), args, **options), file)
    return str(file)


def own_shapes(file: str) -> Callable[[Sequence[Sequence[int]]], Shapes | None]:
    """What the program gives for inputs of some shapes; None where it raises."""
    with quiet():
        module = torch.export.load(file).module()

    def shapes(dims: Sequence[Sequence[int]]) -> Shapes | None:
        with quiet():
            return given(attempt(module, *(torch.zeros(tuple(each)) for each in dims)))

    return shapes


def differences(file: str, points: Sequence[Mapping[str, int]]) -> tuple[list[str], list[str]]:
    """Where the contract of a file and its program differ at some sizes; and what the contract does not know."""
    contract, asked = contract_of(file)
    run = own_shapes(file)
    wrong, unknown = [], []
    for point in points:
        sizes = {name: value for name, value in point.items() if name in contract.symbols}
        outcome = contract.outcome(**sizes)
        observed = run([[dim.value(sizes) for dim in spec.dims] for spec in asked.inputs.tensors()])
        if outcome.ok is None:
            unknown.append(f"{sizes}: {outcome.error}, PyTorch gives {observed}")
        elif (outcome.outputs if outcome.ok else None) != observed:
            wrong.append(f"{sizes}: {outcome.outputs or outcome.error} is told, PyTorch gives {observed}")
    return wrong, unknown


def rewritten(file: str, change: Callable[[str], str]) -> str:
    """The file with another description of its graph."""
    with zipfile.ZipFile(file) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in held.items():
            archive.writestr(name, change(data.decode()) if name.endswith("models/model.json") else data)
    return file
