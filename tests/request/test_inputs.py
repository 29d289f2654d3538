"""The arguments of a call: what is a spec, what is a shape, and what is passed as it is."""

from collections import OrderedDict, namedtuple

import numpy
import pytest

from shapelint.errors import SpecError
from shapelint.request.inputs import Inputs, Literal, parse_inputs
from shapelint.request.spec import TensorSpec

Pyramid = namedtuple("Pyramid", "features size")  # noqa: PYI024 - made as users make it


@pytest.mark.parametrize("inputs", ["1,3,6,6", (1, 3, 6, 6), (numpy.int64(1), 3, 6, 6), ["1,3,6,6"], [(1, 3, 6, 6)]])
def test_one_spec_one_shape_and_a_list_of_one_mean_the_same(inputs: object) -> None:
    assert parse_inputs(inputs) == Inputs((TensorSpec((1, 3, 6, 6)),))


def test_specs_with_a_name_and_call_kwargs_become_keyword_arguments() -> None:
    inputs = parse_inputs(["1,3,H,W", "mask=1,H:bool"], {"context": "1,77", "scale": 0.5, "size": (8, 8)})
    assert inputs.texts() == ("1,3,H,W", "mask=1,H:bool", "context=1,77")
    args, kwargs = inputs.map(lambda spec: spec.dtype)
    assert args == ("float32",)
    assert kwargs == {"mask": "bool", "context": "float32", "scale": 0.5, "size": (8, 8)}


def test_containers_are_followed_and_all_else_is_passed_as_it_is() -> None:
    marker = object()
    given = [Pyramid(["1,8", "1,4"], (2, 2)), OrderedDict(image="1,3,H,W"), Literal("bilinear"), marker, True]
    args, _ = parse_inputs(given).map(str)
    assert args == (Pyramid(["1,8", "1,4"], (2, 2)), OrderedDict(image="1,3,H,W"), "bilinear", marker, True)
    assert type(args[0]) is Pyramid
    assert type(args[1]) is OrderedDict
    assert parse_inputs(given).texts() == ("1,8", "1,4", "1,3,H,W")


def test_every_mapping_makes_new_containers() -> None:
    inputs = parse_inputs([["1,3", 5]])
    first, second = inputs.map(str)[0][0], inputs.map(str)[0][0]
    assert first == second
    assert first is not second


@pytest.mark.parametrize(
    ("inputs", "call_kwargs", "message"),
    [
        ([1, 3, 6, 6], None, "inputs [1, 3, 6, 6] is a list of positional arguments; write the shape as (1, 3, 6, 6)"),
        ((1, "H"), None, "inputs (1, 'H') mixes numbers and others; write \"1,H\" or a list"),
        ((1, 0), None, "input (1, 0): dim 2 is 0, but sizes go from 1 to 2147483647"),
        (numpy.zeros((1, 3)), None, "inputs is of type ndarray; give its shape, (1, 3)"),
        (["x=1", "x=2"], None, "the argument 'x' is given twice"),
        (["x=1"], {"x": 3}, "the argument 'x' is given twice"),
        (["1"], {"x": "y=3"}, "input 'y=3:float32': it has another name than its keyword 'x'"),
        ([["x=1"]], None, "input 'x=1:float32': a name is for keyword arguments, not for a tensor inside of another"),
        (["1"], {"not a name": 3}, "'not a name' is no name of a keyword argument"),
    ],
)
def test_wrong_inputs_are_one_line(inputs: object, call_kwargs: dict[str, object] | None, message: str) -> None:
    with pytest.raises(SpecError) as error:
        parse_inputs(inputs, call_kwargs)
    assert str(error.value) == message
