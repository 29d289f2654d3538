"""Reads a .pt2 file (torch.export) as data: its graph is JSON in a zip archive, and nothing else of it is opened.

`torch.export.load` is not used. It unpickles sample inputs and some weights, evaluates expressions and looks functions
up by name, so a file could have any code run.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any, Final

import torch

from shapelint.errors import TargetError, foreseen
from shapelint.saved.dtypes import name_of
from shapelint.saved.graph import Given, Stored
from shapelint.saved.pt2.graph import Exported, ProgramCall, ProgramPart, Range, symbol_in
from shapelint.saved.pt2.paths import input_paths
from shapelint.saved.source_places import place_in

LIMIT: Final = 1 << 28  # bytes of JSON
_DTYPES: Final = {
    1: torch.uint8, 2: torch.int8, 3: torch.int16, 4: torch.int32, 5: torch.int64, 6: torch.float16, 7: torch.float32,
    8: torch.float64, 10: torch.complex64, 11: torch.complex128, 12: torch.bool, 13: torch.bfloat16,
}  # fmt: skip


def read_pt2(file: Path) -> Exported:
    """The graph in a file; TargetError with one line where there is none."""
    try:
        return _ProgramReader(file, _json(file)).exported()
    except _MissingEntry as error:
        raise TargetError(f"{str(file)!r} is a damaged .pt2 file (it has no {error})") from error
    except (AttributeError, IndexError, RecursionError, StopIteration, TypeError, ValueError) as error:
        raise TargetError(f"{str(file)!r} is a damaged .pt2 file ({type(error).__name__})") from error


@foreseen
class _MissingEntry(Exception):
    """An entry that the description of a program lacks; the text is its name."""


class _Entries(dict[str, Any]):
    """A JSON object of the description."""

    def __missing__(self, name: str) -> Any:
        raise _MissingEntry(repr(name))


def dtype_of(number: Any) -> torch.dtype | None:
    """The dtype of a number in the description; None for one that is not known."""
    return _DTYPES.get(number)


def _json(file: Path) -> Any:
    if not file.is_file():
        raise TargetError(f"there is no file {str(file)!r}")
    try:
        with zipfile.ZipFile(file) as archive:
            names = [each for each in archive.infolist() if _is_model(each.filename)]
            if len(names) != 1:
                raise TargetError(f"{str(file)!r} holds {len(names) or 'no'} exported programs; one is looked for")
            if names[0].file_size > LIMIT:
                raise TargetError(f"{str(file)!r}: the description of its graph is larger than {LIMIT >> 20} MB")
            with archive.open(names[0]) as stream:
                text = stream.read(LIMIT + 1)
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise TargetError(f"{str(file)!r} is no .pt2 file, or a damaged one") from error
    return json.loads(text, object_pairs_hook=_Entries)


def _is_model(name: str) -> bool:
    folders = name.split("/")
    return len(folders) >= 2 and folders[-2] == "models" and name.endswith(".json")


class _ProgramReader:
    """Reads the description of one exported program."""

    def __init__(self, file: Path, told: Any) -> None:
        self._file, self._told = file, told
        self._module = told["graph_module"]
        self._graph = self._module["graph"]

    def exported(self) -> Exported:
        """The program as data."""
        given: list[Given] = []
        symbols: list[tuple[str | None, ...]] = []
        held: dict[str, Stored] = {}
        constants: dict[str, Any] = {}
        for spec in self._module["signature"]["input_specs"]:
            ((kind, value),) = [(kind, value) for kind, value in spec.items() if value is not None]
            if kind == "constant_input":
                constants[value["name"]] = next(iter(value["value"].values()))
                continue
            name = self._tensor_name(kind, value["arg"])
            meta = self._graph["tensor_values"][name]
            dtype = dtype_of(meta["dtype"])
            if dtype is None:
                raise TargetError(f"{str(self._file)!r}: the tensor {name!r} has a dtype that is not known here")
            if kind == "user_input":
                dims = [self._dim(each) for each in meta["sizes"]]
                given.append(Given(name, name_of(dtype), tuple(dims)))
                symbols.append(tuple(symbol_in(each) for each in meta["sizes"]))
            else:
                held[name] = Stored(tuple(int(each["as_int"]) for each in meta["sizes"]), dtype)
        paths = input_paths(self._module, len(given) + len(constants))
        return Exported(
            given=tuple(given),
            paths=dict(zip(paths, [each.name for each in given], strict=False)) if not constants else {},
            symbols=tuple(symbols),
            ranges=self._ranges(),
            guards=tuple(map(str, self._told.get("guards_code") or ())),
            held=held,
            constants=constants,
            calls=tuple(self._call(node) for node in self._graph["nodes"]),
            outputs=tuple(self._outputs()),
        )

    def _tensor_name(self, kind: str, argument: Any) -> str:
        found = argument.get("as_tensor", argument) if isinstance(argument, dict) else None
        if kind in ("custom_obj", "token") or not found or not isinstance(found.get("name"), str):
            raise TargetError(f"{str(self._file)!r} takes something that is no tensor, which is not followed")
        return str(found["name"])

    def _dim(self, size: Any) -> int | str | None:
        return int(size["as_int"]) if "as_int" in size else symbol_in(size)

    def _ranges(self) -> dict[str, Range]:
        found = {}
        for name, told in self._told.get("range_constraints", {}).items():
            least, most = told.get("min_val"), told.get("max_val")
            found[str(name)] = Range(None if least is None else int(least), None if most is None else int(most))
        return found

    def _outputs(self) -> list[str]:
        names = []
        for spec, value in zip(self._module["signature"]["output_specs"], self._graph["outputs"], strict=True):
            if "user_output" in spec and "as_tensor" in value:
                names.append(str(value["as_tensor"]["name"]))
        return names

    def _call(self, node: Any) -> ProgramCall:
        told, given = node.get("metadata") or {}, node["inputs"]
        module, kind = _module_of(str(told.get("nn_module_stack", "")))
        trace = str(told.get("stack_trace", ""))
        return ProgramCall(
            target=str(node["target"]),
            positional=tuple(self._argument(each["arg"]) for each in given if each.get("kind") != 2),
            keywords={str(each["name"]): self._argument(each["arg"]) for each in given if each.get("kind") == 2},
            outputs=tuple(node["outputs"]),
            name=str(node.get("name") or node["target"]),
            module=module,
            kind=kind,
            place=place_in(trace, self._file) if trace else None,
        )


    def _argument(self, told: Any) -> Any:
        """An argument as the file tells it, but for a graph, which is read."""
        part = told.get("as_graph") if isinstance(told, dict) else None
        if part is None:
            return told
        inputs = tuple(_named(each) for each in part["graph"]["inputs"])
        calls = tuple(self._call(node) for node in part["graph"]["nodes"])
        return {"as_graph": ProgramPart(inputs, calls, tuple(part["graph"]["outputs"]))}


def _named(told: Any) -> str:
    """The name of a graph's input."""
    ((_, value),) = told.items()
    return str(value.get("name") or value.get("as_name") or "")


def _module_of(stack: str) -> tuple[str, str]:
    """The path of the innermost module of a call and the name of its class; empty where the root made it."""
    fields = stack.split(";")[-1].split(",")
    if len(fields) != 3 or not fields[2].rpartition(".")[2].isidentifier() or not fields[1].isprintable():
        return "", ""
    return fields[1], fields[2].rpartition(".")[2]
