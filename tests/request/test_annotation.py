"""The comments above a model that ask for its check."""

from pathlib import Path

import pytest

from shapelint.errors import SpecError, TargetError
from shapelint.request.annotation import AnnotatedModel, annotated_models

SOURCE = '''
text = """
# shapelint: input=in a string, so no comment
"""

# shapelint: input=1,3,H,W expect=_,1,H,W
@decorated(
    depth=4,
)
class Net(nn.Module):
    # A remark of another kind.
    # shapelint: input=1,3,6,6
    # shapelint: input=name=1,77:int64 sizes=H=32..64;W=5
    class Inner(nn.Module):
        pass


class Plain(nn.Module):
    pass


# shapelint: input=1,8,L

def detached():
    return Net()
'''


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "net.py"


def test_classes_inner_classes_and_factories_are_found_with_their_inputs(file: Path) -> None:
    file.write_text(SOURCE.replace("L\n\ndef", "L\ndef"))
    assert annotated_models(file) == (
        AnnotatedModel(f"{file}:Net", ("1,3,H,W",), "_,1,H,W", None, 10),
        AnnotatedModel(f"{file}:Net.Inner", ("1,3,6,6", "name=1,77:int64"), None, "H=32..64;W=5", 14),
        AnnotatedModel(f"{file}:detached", ("1,8,L",), None, None, 23),
    )


def test_a_comment_that_belongs_to_nothing_is_an_error_at_its_line(file: Path) -> None:
    file.write_text(SOURCE)
    with pytest.raises(SpecError, match=r"net.py:22: the comment must stand directly above a class or a factory"):
        annotated_models(file)


def test_a_file_without_the_word_is_not_even_parsed(file: Path) -> None:
    file.write_text("def broken(:")
    assert annotated_models(file) == ()


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("inputs=1,3", "unknown key 'inputs', did you mean 'input'?"),
        ("input=1, 3", "input '1,': dim 2 is empty"),
        ("1,3,H,W", "'1,3,H,W' has no key; write input=1,3,H,W without spaces"),
        ("input=1 expect=1 expect=2", "'expect' is given twice"),
        ("expect=1", "the comment above Net has no input; write input=1,3,H,W"),
        ("input=1 sizes=H=9..3", "sizes 'H=9..3': the range starts at 9, after its end 3"),
    ],
)
def test_a_wrong_comment_is_one_line_with_its_place(file: Path, comment: str, message: str) -> None:
    file.write_text(f"\n# shapelint: {comment}\nclass Net: pass\n")
    with pytest.raises(SpecError) as error:
        annotated_models(file)
    assert str(error.value) == f"{file}:2: {message}"


def test_a_file_that_cannot_be_read_is_one_line(file: Path) -> None:
    with pytest.raises(TargetError, match=r"cannot read '.*net\.py': No such file or directory$"):
        annotated_models(file)
    file.write_text("# shapelint: input=1\nclass Net(:\n")
    with pytest.raises(TargetError, match=r"cannot read '.*net.py': SyntaxError: .* \(.*net.py:2\)$"):
        annotated_models(file)
