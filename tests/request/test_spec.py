"""What a person may write about tensors and sizes, and the one line that each mistake gets."""

import pickle
import subprocess
import sys

import numpy
import pytest

from shapelint.errors import SpecError
from shapelint.request.spec import Expectation, TensorSpec, parse_expect, parse_sizes, parse_tensor
from shapelint.size.function import constant, symbol


def test_a_spec_holds_its_dims_dtype_and_keyword() -> None:
    assert parse_tensor("N,3,16*K,H//8") == TensorSpec(
        (symbol("N"), 3, symbol("K").times(16), symbol("H").floor_divide(8))
    )
    assert parse_tensor("name=1,77:int64") == TensorSpec((constant(1), 77), "int64", "name")
    assert parse_tensor("1 , 3:torch.half").dtype == "float16"
    assert parse_tensor("1,3,W,W + H").symbols() == ("W", "H")


@pytest.mark.parametrize("text", ["1,3,H,W", "name=1,77:int64", "min(8, H),2:bool", "1,H//2 + 1"])
def test_a_spec_is_written_as_it_is_read_and_survives_pickle(text: str) -> None:
    spec = parse_tensor(text)
    assert str(spec) == text
    assert pickle.loads(pickle.dumps(spec)) == spec


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,0,6,6", "input '1,0,6,6': dim 2 is 0, but sizes go from 1 to 2147483647"),
        ("1,3,-6", "input '1,3,-6': dim 3 is -6, but sizes go from 1 to 2147483647"),
        ("2147483648", "input '2147483648': dim 1 is 2147483648, but sizes go from 1 to 2147483647"),
        ("H-H,1", "input 'H-H,1': dim 1 is 0, but sizes go from 1 to 2147483647"),
        ("1,,3", "input '1,,3': dim 2 is empty"),
        ("1,3,", "input '1,3,': dim 3 is empty"),
        ("", "input '': there are no dims; write them with commas, such as 1,3,H,W"),
        ("1.5", "input '1.5': dim 1 '1.5' is no integer, symbol or expression of them (+, -, *, //)"),
        ("1,H/2", "input '1,H/2': dim 2 'H/2' may use +, -, * and // by a whole number only"),
        ("(1,3)", "input '(1,3)': dim 1 is '(1,3)'; write the dims without brackets around them"),
        ("1x3xHx64", "input '1x3xHx64': dim 1 is '1x3xHx64'; write the dims with commas, 1,3,H,64"),
        ("1,_", "input '1,_': dim 2 is '_'; give a size that is open a name, such as N"),
        ("1:int46", "input '1:int46': unknown dtype 'int46', did you mean 'int64'?"),
        ("class=1", "input 'class=1': 'class' is no name of a keyword argument"),
    ],
)
def test_a_wrong_spec_is_one_line_that_names_the_matter(text: str, message: str) -> None:
    with pytest.raises(SpecError) as error:
        parse_tensor(text)
    assert str(error.value) == message


def test_a_bool_is_no_dim_but_an_integer_of_numpy_is() -> None:
    assert TensorSpec(numpy.array([3, 5])).dims == (constant(3), constant(5))
    with pytest.raises(SpecError, match="dim 1 is True, which is no integer"):
        TensorSpec((True,))


def test_sizes_of_the_command_line_include_both_ends() -> None:
    assert parse_sizes("H=32..512:32; W=32..512") == {"H": range(32, 513, 32), "W": range(32, 513)}
    assert parse_sizes(["H=96,64,96", "W=5"]) == {"H": (64, 96), "W": (5,)}


def test_sizes_of_python_are_kept_ascending() -> None:
    given = {"H": range(9, 0, -2), "W": 64, "D": [numpy.int64(96), 64], "L": "3..4"}
    assert parse_sizes(given) == {"H": range(1, 10, 2), "W": (64,), "D": (64, 96), "L": range(3, 5)}
    assert parse_sizes(None) == {}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("H=5..3", "sizes 'H=5..3': the range starts at 5, after its end 3"),
        ("H=3..5:0", "sizes 'H=3..5:0': a step of 0 leads nowhere"),
        ("H=a", "sizes 'H=a': 'a' is no whole number; write 32..512:32, 64 or 64,96"),
        ("H=1,W=3", "sizes 'H=1,W=3': 'W=3' is no whole number; separate symbols with ';'"),
        ("32..64", "sizes '32..64': no symbol; write H=32..512:32, H=64 or H=64,96"),
        ("2*H=4", "sizes: '2*H' is no symbol, such as H"),
        (["H=1", "H=2"], "sizes 'H=2': H is given twice"),
        ("H=0..4", "sizes 'H=0..4': 0 is out of range, sizes go from 1 to 2147483647"),
        ({"H": range(3, 3)}, "sizes of H: range(3, 3) is empty"),
        ({"H": True}, "sizes of H: True is no whole number; write 32..512:32, 64 or 64,96"),
    ],
)
def test_wrong_sizes_are_one_line_that_names_the_matter(value: object, message: str) -> None:
    with pytest.raises(SpecError) as error:
        parse_sizes(value)  # type: ignore[arg-type]
    assert str(error.value) == message


def test_an_expectation_leaves_sizes_and_leading_dims_open() -> None:
    twice = symbol("H").times(2)
    assert parse_expect("_,3,2*H") == Expectation((None, constant(3), twice), False, "_,3,2*H")
    assert parse_expect("...,32,32") == Expectation((constant(32), constant(32)), True, "...,32,32")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,...,3", "expect '1,...,3': dim 2 is '...', which may stand in front only"),
        ("_,0", "expect '_,0': dim 2 is 0, but sizes go from 1 to 2147483647"),
        ("1,3:int8", "expect '1,3:int8': dim 2 is '3:int8'; an expected shape has neither name nor dtype"),
    ],
)
def test_a_wrong_expectation_is_one_line(text: str, message: str) -> None:
    with pytest.raises(SpecError) as error:
        parse_expect(text)
    assert str(error.value) == message


@pytest.mark.parametrize(("modules", "unwanted"), [("spec, inputs", ("torch",)), ("annotation", ("torch", "islpy"))])
def test_reading_text_imports_no_library_that_it_does_not_need(modules: str, unwanted: tuple[str, ...]) -> None:
    code = (
        f"from shapelint.request import {modules}; import sys; "
        f"sys.exit(any(name in sys.modules for name in {unwanted}))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
