"""One operation of a saved graph while it runs: what it takes and how it is set, and the table of the operators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import torch

from shapelint.saved.declare import Declaration, Need, declared
from shapelint.saved.onnx.graph import Graph, GraphStep
from shapelint.saved.onnx.numbers import Numbers
from shapelint.size.number import plain
from shapelint.trace.recording.errors import Kind, Unanalysable
from shapelint.trace.recording.record import Shape


@dataclass(frozen=True, slots=True)
class Sequence:
    """A row of tensors, each of its own shape."""

    items: tuple[torch.Tensor, ...]


Value = torch.Tensor | Numbers | Sequence | None
Operator = Callable[["OperatorCall"], Any]
OPERATORS: dict[str, Operator] = {}
_COUNTED = "_counted"
_SAME_NUMBERS = frozenset({
    "Unsqueeze", "Squeeze", "Reshape", "Flatten", "Transpose", "Identity", "Cast", "Tile",
})  # fmt: skip


class Host(Protocol):
    """What runs the graph: an operator may ask it for the run of another one."""

    def weight(self, numbers: Numbers) -> torch.Tensor:
        """A tensor of the shape of some numbers."""
        ...

    def run_inner(self, graph: Graph, handed: tuple[Value, ...] = ()) -> tuple[Value, ...]:
        """The outputs of a graph inside of the one that runs, which is handed values."""
        ...


def operator(*names: str) -> Callable[[Operator], Operator]:
    """Registers what an operator of ONNX gives; one that has a function already is a bug of ours."""

    def register(function: Operator) -> Operator:
        for name in names:
            assert name not in OPERATORS, f"{name} has two functions"
            OPERATORS[name] = function
        return function

    return register


def counted(value: Any) -> Any:
    """How many numbers a tensor counts up from 0; None where it does not, or nobody knows."""
    return getattr(value, _COUNTED, None)


@dataclass(frozen=True, slots=True)
class OperatorCall:
    """An operator's step, the values that it takes, and the version of its operators."""

    step: GraphStep
    values: tuple[Value, ...]
    opset: int
    host: Host

    def has(self, index: int) -> bool:
        """Whether an input is given."""
        return index < len(self.values) and self.values[index] is not None

    def value(self, index: int) -> torch.Tensor | Numbers:
        """An input; without it the graph is no valid one. Raises Unanalysable where it is not there."""
        found = self.values[index] if index < len(self.values) else None
        if found is None:
            raise Unanalysable(f"`{self.step.operator}` of `{self.step.name}` lacks its input {index + 1}")
        if isinstance(found, Sequence):
            raise self.unsupported(f"a sequence as its input {index + 1}")
        return found

    def sequence(self, index: int) -> Sequence:
        """An input that is a sequence. Raises ValueError where it is none."""
        found = self.values[index] if index < len(self.values) else None
        if not isinstance(found, Sequence):
            raise ValueError(f"input {index + 1} is no sequence")
        return found

    def tensor(self, index: int) -> torch.Tensor:
        """An input as a tensor."""
        found = self.value(index)
        return self.host.weight(found) if isinstance(found, Numbers) else found

    def tensors(self) -> list[torch.Tensor]:
        """All inputs that are given, as tensors."""
        return [self.tensor(index) for index in range(len(self.values)) if self.has(index)]

    def numbers(self, index: int, what: str = "what it gives") -> Numbers:
        """An input whose numbers are known; where it is a tensor, nobody can tell.

        Raises Unanalysable where they are not known.
        """
        found = self.value(index)
        if isinstance(found, Numbers):
            return found
        raise Unanalysable(f"`{self.step.operator}`: {what} depends on the numbers in a tensor, not on sizes")

    def are_numbers(self) -> bool:
        """Whether the numbers of every input are known."""
        return bool(self.values) and all(isinstance(each, Numbers) for each in self.values if each is not None)

    def shape(self, index: int) -> Shape:
        """The shape of an input."""
        return tuple(self.value(index).shape)

    def rank(self, index: int) -> int:
        """The number of axes of an input."""
        return len(self.value(index).shape)

    def dtype(self, index: int = 0) -> torch.dtype:
        """The dtype of an input."""
        return self.value(index).dtype

    def attribute(self, name: str, kind: Any, default: Any) -> Any:
        """An attribute, which must be of its kind; Unanalysable where it is of another."""
        found = self.step.attributes.get(name)
        if found is None:
            return default
        if kind is float and isinstance(found, int):
            return float(found)
        if not isinstance(found, kind) or (kind is tuple and not all(isinstance(each, int) for each in found)):
            raise Unanalysable(f"`{self.step.operator}`: its attribute {name!r} is of a wrong type")
        return found

    def integer(self, name: str, default: int = 0) -> int:
        """An attribute that is a whole number."""
        return int(self.attribute(name, int, default))

    def integers(self, name: str) -> tuple[int, ...] | None:
        """An attribute that is a row of whole numbers; None where it is not set."""
        found: tuple[int, ...] | None = self.attribute(name, tuple, None)
        return found

    def text(self, name: str, default: str = "") -> str:
        """An attribute that is a text."""
        return str(self.attribute(name, str, default))

    def axis(self, value: Any, rank: int) -> int:
        """An axis counted from the front; the graph raises for one that the tensor does not have.

        Raises ValueError where there is no such axis.
        """
        number = plain(value)
        if not -rank <= number < rank:
            raise ValueError(f"axis {number} is none of a tensor of {rank} axes")
        return number % rank

    def unsupported(self, what: str) -> Unanalysable:
        """What is raised for a use of an operator that is not followed."""
        return Unanalysable(f"`{self.step.operator}` of `{self.step.name}`: {what} is not followed")

    def made(
        self,
        shape: Shape,
        dtype: torch.dtype | None = None,
        *,
        name: str = "",
        needs: tuple[Need, ...] = (),
        of: tuple[int, ...] | None = None,
        spatial: int = 0,
        factor: tuple[Fraction, ...] = (),
    ) -> torch.Tensor:
        """A tensor of this shape, made from the tensors among the inputs (`of`: from these)."""
        chosen = self.tensors_of(of)
        kind = dtype or self.dtype()
        declaration = Declaration(name or self.step.operator.lower(), (tuple(shape),), (kind,), needs, spatial, factor)
        result: torch.Tensor = declared(declaration, *chosen)
        if self.step.operator in _SAME_NUMBERS and self.has(0) and counted(self.value(0)) is not None:
            self.count(result, counted(self.value(0)))
        return result

    def count(self, tensor: torch.Tensor, numbers: Any) -> None:
        """Notes that a tensor holds the numbers from 0 to so many, without the last, and no others."""
        setattr(tensor, _COUNTED, numbers)

    def tensors_of(self, of: tuple[int, ...] | None) -> list[torch.Tensor]:
        """The inputs that are tensors, of these places."""
        places = range(len(self.values)) if of is None else of
        found = (self.values[index] for index in places if index < len(self.values))
        return [each for each in found if isinstance(each, torch.Tensor)]

    def joined(self, dtype: torch.dtype | None = None, *, name: str = "") -> torch.Tensor:
        """A tensor of the common shape of all inputs."""
        tensors = self.tensors()
        kind = dtype or tensors[0].dtype
        declaration = Declaration(name or self.step.operator.lower(), None, (kind,))
        result: torch.Tensor = declared(declaration, *tensors)
        return result

    def same(self, index: int = 0, dtype: torch.dtype | None = None) -> torch.Tensor:
        """A tensor of the shape of one input."""
        return self.made(self.shape(index), dtype or self.dtype(index))


__all__ = ["OPERATORS", "Kind", "Need", "Operator", "OperatorCall", "Sequence", "Value", "counted", "operator"]
