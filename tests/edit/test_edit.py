"""Edits of source text: one argument changed, everything else to the letter as it was."""

from __future__ import annotations

import ast
import linecache
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shapelint.edit.arguments import added, removed
from shapelint.edit.document import Document
from shapelint.errors import EditError
from shapelint.source.span import Edit, Span
from shapelint.source.syntax import written


def _call(folder: Path, text: str) -> tuple[str, ast.Call]:
    file = folder / "call.py"
    file.write_text(text, encoding="utf-8")
    return str(file), next(node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))


def _after(file: str, *edits: Edit) -> str:
    return Document.read(file).edited(edits).text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("up(8, 3)", "up(8, 3, op=1)"),
        ("up()", "up(op=1)"),
        ("up(8, 3,)", "up(8, 3, op=1,)"),
        ("up(8, (3))", "up(8, (3), op=1)"),
        ("up(8, k=(3 ), )", "up(8, k=(3 ), op=1, )"),
        ("up(*rest, **more)", "up(*rest, **more, op=1)"),
        ("up(\n    8,\n    3,\n)", "up(\n    8,\n    3,\n    op=1,\n)"),
        ("up(\n    8,\n    3  # three, not 4\n)", "up(\n    8,\n    3,\n    op=1  # three, not 4\n)"),
        ("up(8,  # in\n   3)", "up(8,  # in\n   3,\n   op=1)"),
        ("größe(8, 'ü', 3)  # ß", "größe(8, 'ü', 3, op=1)  # ß"),
    ],
)
def test_an_argument_is_added_in_the_manner_of_the_others(tmp_path: Path, before: str, after: str) -> None:
    file, call = _call(tmp_path, before)
    assert _after(file, added(file, call, "op", "1")) == after
    assert ast.parse(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("up(8, 3, op=1)", "up(8, 3)"),
        ("up(op=1)", "up()"),
        ("up(op=1, k=3)", "up(k=3)"),
        ("up(8, op=(1), k=3)", "up(8, k=3)"),
        ("up(\n    8,\n    op=1,\n    k=3,\n)", "up(\n    8,\n    k=3,\n)"),
    ],
)
def test_an_argument_is_left_out_with_its_comma(tmp_path: Path, before: str, after: str) -> None:
    file, call = _call(tmp_path, before)
    edit = removed(file, call, "op")
    assert edit is not None
    assert _after(file, edit) == after


def test_an_argument_with_a_comment_before_it_is_not_left_out(tmp_path: Path) -> None:
    file, call = _call(tmp_path, "up(8,  # in\n   op=1)")
    assert removed(file, call, "op") is None
    assert removed(file, call, "other") is None


def test_values_are_written_as_short_as_they_can_be() -> None:
    assert written((1, 1, 1)) == "1"
    assert written((0, 1)) == "(0, 1)"
    assert written((2,)) == "2"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(("encoding", "mark"), [("utf-8", ""), ("utf-8-sig", ""), ("latin-1", "# coding: latin-1\n")])
def test_encoding_and_newlines_stay(tmp_path: Path, newline: str, encoding: str, mark: str) -> None:
    text = f"{mark}größe = 1\nup = 2\n".replace("\n", newline)
    file = tmp_path / "net.py"
    file.write_bytes(text.encode(encoding))
    line = 2 + bool(mark)
    found = Document.read(str(file)).edited([Edit(Span(str(file), line, 6, line, 7), "3\n# more")])
    assert found.data == text.replace("up = 2", f"up = 3{newline}# more").encode(encoding)


def test_edits_of_the_same_text_are_refused_and_equal_ones_are_one(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text("up(8, 3)\n")
    document = Document.read(str(file))
    one, two = Edit(Span(str(file), 1, 4, 1, 5), "9"), Edit(Span(str(file), 1, 1, 1, 9), "down()")
    assert document.edited([one, one]).text == "up(9, 3)\n"
    with pytest.raises(EditError, match=re.escape("two fixes change the same text")):
        document.edited([one, two])


def test_a_file_that_is_no_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_bytes(b"# coding: nonsense\n")
    with pytest.raises(EditError, match=r"cannot read .*net.py: unknown encoding"):
        Document.read(str(tmp_path / "net.py"))
    with pytest.raises(EditError, match=r"cannot read .*none.py: No such file"):
        Document.read(str(tmp_path / "none.py"))


def test_a_difference_names_a_hostile_file_as_git_does(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text("one\n")
    document = Document.read(str(file))
    told = document.difference(Document(str(file), "two\n", "utf-8"), 'e\x1bv"\n::error::.py')
    head = r'"a/e\033v\042\012::error::.py"'
    assert told.splitlines()[:2] == [f"--- {head}", f"+++ {head.replace('a/', 'b/')}"]


def test_a_difference_is_one_that_patch_takes(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text("a = 1\nb = 2")
    document = Document.read(str(file))
    changed = document.edited([Edit(Span(str(file), 2, 5, 2, 6), "3")])
    assert document.difference(changed, "net.py") == (
        "--- a/net.py\n+++ b/net.py\n@@ -1,2 +1,2 @@\n a = 1\n"
        "-b = 2\n\\ No newline at end of file\n+b = 3\n\\ No newline at end of file\n"
    )


_ARGUMENTS = st.sampled_from(["8", "(3)", "k=3", "'ü,)'", "[1,\n 2]", "f(x, (y))", "*a", "**b", "x[1:2]"])
_COMMAS = [", ", ",\n    ", ",  # a, b)\n    "]


@given(arguments=st.lists(_ARGUMENTS, max_size=4), comma=st.sampled_from(_COMMAS), trailing=st.booleans())
def test_whatever_the_call_it_gets_just_the_one_argument(
    tmp_path_factory: pytest.TempPathFactory, arguments: list[str], comma: str, trailing: bool
) -> None:
    ordered = sorted(dict.fromkeys(arguments), key=lambda each: (each.startswith("**"), "=" in each))
    text = f"up({comma.join(ordered)}{',' if trailing and ordered else ''})"
    linecache.clearcache()
    file, call = _call(tmp_path_factory.getbasetemp(), text)
    after = ast.parse(_after(file, added(file, call, "op", "(0, 1)"))).body[0]
    call.keywords.append(ast.keyword("op", ast.parse("(0, 1)", mode="eval").body))
    assert isinstance(after, ast.Expr)
    assert ast.unparse(after) == ast.unparse(call)


def test_a_new_line_ends_as_the_line_that_it_comes_from(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_bytes(b"a = 1\r\nup = 2\nb = 3")
    spans = Span(str(file), 1, 5, 1, 6), Span(str(file), 2, 6, 2, 7), Span(str(file), 3, 5, 3, 6)
    edits = [Edit(span, f"{number}\n#") for number, span in enumerate(spans, 7)]
    assert Document.read(str(file)).edited(edits).data == b"a = 7\r\n#\r\nup = 8\n#\nb = 9\n#"
