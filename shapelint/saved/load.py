"""From the path of a file to a module that can be traced, and to what it takes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from shapelint.errors import TargetError
from shapelint.load import Loaded
from shapelint.request.inputs import Inputs
from shapelint.saved.graph import Given
from shapelint.saved.inputs import bound_inputs

SUFFIXES = (".onnx", ".pt2")


@dataclass(frozen=True, slots=True)
class SavedModel:
    """A file that was read: its module, and what the file says of its inputs."""

    loaded: Loaded
    file: Path
    given: tuple[Given, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the inputs in the order of the file."""
        return tuple(each.name for each in self.given)

    def inputs(self, asked: Inputs) -> Inputs:
        """The inputs in the order of the file; SpecError where what is asked for does not fit."""
        return bound_inputs(self.given, asked, repr(self.loaded.name))


def is_saved(target: object) -> TypeGuard[str | os.PathLike[str]]:
    """Whether a target is the path of a model in a file."""
    return isinstance(target, str | os.PathLike) and os.fspath(target).endswith(SUFFIXES)


def load_saved(
    target: str | os.PathLike[str],
    init_kwargs: Mapping[str, object] | None,
    build: str | None,
    method: str | None,
    *,
    train: bool,
) -> SavedModel:
    """The model in a file; TargetError where there is none, or where the options are for code."""
    name = os.fspath(target)
    code = ((init_kwargs, "--kwargs (init_kwargs)"), (build, "--build"), (method, "--method"), (train, "--train"))
    for value, option in code:
        if value:
            raise TargetError(f"{name!r} is a file with a graph, and no code that {option} could be for")
    file = Path(name)
    if name.endswith(".pt2"):
        from shapelint.saved.pt2.module import ExportedModule
        from shapelint.saved.pt2.reader import read_pt2

        exported = read_pt2(file)
        return SavedModel(Loaded(name, ExportedModule(exported).eval(), {}, None, given=False), file, exported.given)
    from shapelint.saved.onnx.module import GraphModule
    from shapelint.saved.onnx.reader import read_onnx

    model = read_onnx(file)
    module = GraphModule(model).eval()
    return SavedModel(Loaded(name, module, {}, None, given=False), file, model.graph.inputs)
