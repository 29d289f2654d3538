"""Sets in words: exact texts for usual sets, and a small interpreter of the words that must agree with membership."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product as grid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shapelint.size import SizeSet
from shapelint.size.words import describe, exact_words, some_members


def read(text: str) -> SizeSet:
    """A set from isl's notation, its symbols those in the brackets."""
    head = text[text.index("[") + 1 : text.index("]")]
    return SizeSet.read(tuple(name.strip() for name in head.split(",")), text)


def listed(text: str, number: int) -> bool:
    """Whether "1, 4 to 9 or 12" names the number."""
    for item in re.split(r", or |, | or ", text):
        low, _, high = item.partition(" to ")
        if int(low) <= number <= int(high or low):
            return True
    return False


def axis_holds(words: str, number: int) -> bool:
    """Whether what is said of one symbol is true of the number."""
    if words == "any":
        return True
    if but := re.fullmatch(r"any but (\d+)(?: and (\d+))?", words):
        return str(number) not in but.groups()
    if only := re.fullmatch("only (.*)", words):
        return listed(only[1], number)
    if bounded := re.fullmatch(r"(?:multiples of (\d+) )?from (\d+) to (\d+)", words):
        return int(bounded[2]) <= number <= int(bounded[3]) and number % int(bounded[1] or 1) == 0
    whole = re.fullmatch(r"(.*?)(?: from (\d+))?(?:, or ([\d, to]+(?: or [\d to]+)?))?", words)
    assert whole, words
    if whole[3] and listed(whole[3], number):
        return True
    return number >= int(whole[2] or 1) and _residue_holds(whole[1], number)


def _residue_holds(words: str, number: int) -> bool:
    if words in ("even", "odd"):
        return number % 2 == (words == "odd")
    if least := re.fullmatch(r"at least (\d+)", words):
        return number >= int(least[1])
    if multiple := re.fullmatch(r"(no )?multiples of (\d+)", words):
        return (number % int(multiple[2]) == 0) is not bool(multiple[1])
    residues = re.fullmatch(r"(not )?(.*) mod (\d+)", words)
    assert residues, words
    return listed(residues[2], number % int(residues[3])) is not bool(residues[1])


def holds(text: str, sizes: Mapping[str, int]) -> bool:
    """Whether a whole sentence is true of a size; AssertionError where it is no sentence."""
    if text in ("every size", "no size"):
        return text == "every size"
    if text.startswith("every size but these: "):
        return not holds(text.removeprefix("every size but these: "), sizes)
    if gone := re.fullmatch(r"(?:(.*), but not|every size but) (\d+x[\dx]+(?: (?:or|and) \d+x[\dx]+)?)", text):
        lacking = [each.split("x") for each in re.split(" or | and ", gone[2])]
        return [str(each) for each in sizes.values()] not in lacking and (not gone[1] or holds(gone[1], sizes))
    if text.startswith("every size but "):
        return not holds(text.removeprefix("every size but "), sizes)
    if "; or " in text:
        return any(holds(part, sizes) for part in text.split("; or "))
    if points := re.fullmatch(r"\(([\w, ]+)\) only (.*)", text):
        own = tuple(sizes[name] for name in points[1].split(", "))
        return own in {tuple(map(int, each.split(", "))) for each in re.findall(r"\(([-\d, ]+)\)", points[2])}
    clauses = re.split(r", (?=any |[^ ,]*[A-Z])", text)
    for index in reversed(range(len(clauses) - 1)):  # "D, H and W even" is one clause
        if re.fullmatch("(any )?[A-Z]", clauses[index]) and not clauses[index].startswith("any "):
            clauses[index : index + 2] = [f"{clauses[index]} and {clauses[index + 1]}"]
    return all(_clause_holds(clause, sizes) for clause in clauses)


def _clause_holds(clause: str, sizes: Mapping[str, int]) -> bool:
    if clause.startswith("any "):
        return True
    signs = {" = ": "==", " at least ": ">=", " at most ": "<=", " larger than ": ">"}
    for words, sign in signs.items():
        left, found, right = clause.partition(words)
        if found and (re.search("[A-Z]", right) or re.search("[-+*/]", left) or sign == "<="):
            return bool(eval(f"({left}) {sign} ({right})", dict(sizes)))
    if multiple := re.fullmatch(r"(.*) a multiple of (\d+)", clause):
        return bool(eval(multiple[1], dict(sizes)) % int(multiple[2]) == 0)
    if congruent := re.fullmatch(r"(\S+ [-+] \S+) (\d+) mod (\d+)", clause):
        return bool(eval(congruent[1], dict(sizes)) % int(congruent[3]) == int(congruent[2]))
    names = re.match("[A-Z]( and [A-Z])* ", clause)
    assert names, clause
    words = clause.removeprefix(names[0])
    return all(axis_holds(words, sizes[name]) for name in re.findall("[A-Z]", names[0]))


AXES = {
    "{ [H] : H > 0 }": "any",
    "{ [H] : H >= 16 }": "at least 16",
    "{ [H] : H > 0 and H mod 2 = 0 }": "even",
    "{ [H] : H > 0 and H mod 2 = 1 }": "odd",
    "{ [H] : H >= 5 and H mod 2 = 1 }": "odd from 5",
    "{ [H] : H > 0 and H mod 16 = 0 }": "multiples of 16",
    "{ [H] : H > 40 and H mod 16 = 0 }": "multiples of 16 from 48",
    "{ [H] : 0 < H < 500 and H mod 16 = 0 }": "multiples of 16 from 16 to 496",
    "{ [H] : H > 0 and H mod 320 = 312 }": "312 mod 320",
    "{ [H] : H > 0 and (H mod 4 = 1 or H mod 4 = 2) }": "1 or 2 mod 4",
    "{ [H] : H > 0 and H mod 4 != 3 }": "not 3 mod 4",
    "{ [H] : H > 0 and H mod 3 != 0 }": "no multiples of 3",
    "{ [H] : H > 0 and H mod 16 >= 8 }": "8 to 15 mod 16",
    "{ [H] : H = 28 }": "only 28",
    "{ [H] : H = 28 or H = 29 }": "only 28 or 29",
    "{ [H] : 28 <= H <= 32 }": "from 28 to 32",
    "{ [H] : 28 <= H <= 32 or H = 40 }": "only 28 to 32 or 40",
    "{ [H] : H >= 40 or H = 7 }": "at least 40, or 7",
    "{ [H] : H >= 40 or 0 < H <= 30 }": "at least 40, or 1 to 30",
    "{ [H] : H > 0 and H != 64 }": "any but 64",
    "{ [H] : H > 1 and H != 64 }": "any but 1 and 64",
    "{ [H] : H > 2 }": "at least 3",
    "{ [H] : (H > 20 and H mod 8 = 0) or H = 3 or H = 12 }": "multiples of 8 from 24, or 3 or 12",
}

SENTENCES = {
    "{ [H, W] : H > 0 and W > 0 and H mod 16 = 0 and W mod 16 = 0 }": "H and W multiples of 16",
    "{ [H, W] : H > 0 and W > 0 and H mod 2 = 1 }": "H odd, any W",
    "{ [H, W] : H = 28 and W = 28 }": "H and W only 28",
    "{ [H, W] : H >= 16 and W >= 8 }": "H at least 16, W at least 8",
    "{ [D, H, W] : D > 0 and H > 0 and W > 0 and D mod 2 = 0 and H mod 4 = 0 and W mod 4 = 0 }":
        "D even, H and W multiples of 4",
    "{ [D, H, W] : D >= 7 and H >= 7 and W >= 7 }": "D, H and W at least 7",
    "{ [L] : L > 0 and L mod 320 = 312 }": "L 312 mod 320",
    "{ [H, W] : H > 0 and W > 0 }": "every size",
    "{ [H, W] : true }": "every size",
    "{ [H, W] : false }": "no size",
    "{ [H, W] : H = W and H > 0 }": "W = H",
    "{ [H, W] : H = W and H > 0 and H mod 2 = 0 }": "W = H, H and W even",
    "{ [D, H, W] : D > 0 and H = W and H > 0 }": "W = H, any D",
    "{ [H, W] : H = 2W and W > 0 }": "H = 2*W, H even",
    "{ [H, W] : W = H + 3 and H > 0 }": "W = H + 3, W at least 4",
    "{ [H, W] : 2W = 3H and H > 0 }": "2*W = 3*H, H even, W multiples of 3",
    "{ [H, W] : 0 < W <= H }": "H at least W",
    "{ [H, W] : 0 < W < H }": "H larger than W, H at least 2",
    "{ [H, W] : 0 < W and 0 < H and W <= H + 3 }": "W at most H + 3",
    "{ [H, W] : H > 0 and W > 0 and H + W <= 10 }": "H + W at most 10, H and W from 1 to 9",
    "{ [H, W] : H > 0 and W > 0 and H != W }": "every size but W = H",
    "{ [H, W] : H > 0 and W > 0 and (H - W) mod 4 = 0 }": "H - W a multiple of 4",
    "{ [H, W] : H > 0 and W > 0 and (H + W) mod 2 = 1 }": "H + W 1 mod 2",
    "{ [H, W] : H > 0 and W > 0 and (H mod 16 = 0 or W mod 8 = 0) }":
        "H multiples of 16, any W; or any H, W multiples of 8",
    "{ [H, W] : H > 0 and W > 0 and not (H mod 16 = 0 and W mod 16 = 0) }": "every size but H and W multiples of 16",
    "{ [H, W] : H > 0 and W > 0 and not (H = 5 and W >= 4) and not (H = 9 and W >= 7) and not (H = 12 and W >= 3) }":
        "every size but these: H only 12, W at least 3; or H only 5, W at least 4; or H only 9, W at least 7",
    "{ [H, W] : H > 0 and W > 0 and not (H < 20 and W < 20) }": "every size but H and W from 1 to 19",
    "{ [H, W] : H > 0 and W > 0 and not (H = 1 and W = 1) and not (H = 1 and W = 2) }": "every size but 1x1 and 1x2",
    "{ [H, W] : H > 0 and W > 0 and H mod 32 = 0 and W mod 32 = 0 and H + W > 64 }":
        "H and W multiples of 32, but not 32x32",
    "{ [D, H, W] : D > 0 and H > 0 and W > 0 and D mod 8 = 0 and H mod 32 = 0 and W mod 32 = 0 and 4D + H + W > 96 }":
        "D multiples of 8, H and W multiples of 32, but not 8x32x32",
    "{ [H, W] : (H = 1 and W = 6) or (H = 2 and W = 3) or (H = 6 and W = 1) }": "(H, W) only (1, 6), (2, 3) or (6, 1)",
}  # fmt: skip


@pytest.mark.parametrize("text", AXES)
def test_one_symbol_is_described_as_a_person_would(text: str) -> None:
    sizes = read(text)
    assert describe(sizes) == AXES[text]
    assert all(axis_holds(AXES[text], number) is (number in sizes) for number in range(1, 200))


@pytest.mark.parametrize("text", SENTENCES)
def test_usual_sets_have_a_plain_sentence(text: str) -> None:
    sizes = read(text)
    assert str(sizes) == SENTENCES[text]
    for point in (
        grid((1, 2, 3, 4, 5, 6, 7, 8, 16, 20, 28, 32, 48, 312), repeat=len(sizes.symbols))
        if len(sizes.symbols) < 3
        else ()
    ):
        assert holds(str(sizes), dict(zip(sizes.symbols, point, strict=True))) is (point in sizes), point


periodic = st.builds(
    lambda period, residues, start: (
        f"(H >= {start} and ({' or '.join(f'H mod {period} = {r % period}' for r in residues)}))"
    ),
    st.sampled_from([1, 2, 3, 4, 6, 8, 16, 20]),
    st.lists(st.integers(0, 19), min_size=1, max_size=5),
    st.integers(1, 50),
)
bounded = st.builds(lambda low, span: f"({low} <= H <= {low + span})", st.integers(1, 60), st.integers(0, 40))
single = st.lists(st.one_of(periodic, bounded), min_size=1, max_size=3).map(" or ".join)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(single)
def test_what_is_said_of_one_symbol_is_true_of_exactly_the_members(condition: str) -> None:
    sizes = read(f"{{ [H] : {condition} }}")
    words, text = describe(sizes), exact_words(sizes)
    if words is not None:
        assert all(axis_holds(words, number) is (number in sizes) for number in range(1, 200))
    if text is not None:
        assert all(holds(text, {"H": number}) is (number in sizes) for number in range(1, 100))


RELATIONS = [
    "H = W",
    "W = H + 2",
    "H = 2W",
    "W <= H",
    "W < H",
    "(H - W) mod 4 = 1",
    "(H + W) mod 3 = 0",
    "H + W <= 20",
    "H != W",
    "true",
]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(single, single, st.sampled_from(RELATIONS), st.booleans())
def test_a_sentence_about_two_symbols_is_true_of_exactly_the_members(
    one: str, two: str, relation: str, either: bool
) -> None:
    joined = "or" if either else "and"
    sizes = read(f"{{ [H, W] : H > 0 and W > 0 and (({one}) {joined} ({two.replace('H', 'W')})) and {relation} }}")
    text = exact_words(sizes)
    if text is not None:
        for h, w in grid(range(1, 44, 4), range(1, 48, 5)):
            assert holds(text, {"H": h, "W": w}) is ((h, w) in sizes), (text, h, w)


def test_a_set_that_no_short_sentence_denotes_is_told_by_its_equal_axes_and_another_member() -> None:
    sizes = read("{ [H, W] : H > 0 and W > 0 and floor((H + 15)/16) = floor((W + 15)/16) }")
    assert sizes.exact_words is None
    assert str(sizes) == "any H = W, and others such as 1x2"
    pairs = " or ".join(f"({1024 // w} <= H <= {1024 // w + 1} and {w} <= W <= {w + 1})" for w in (8, 16, 32, 64, 128))
    pinned = read(f"{{ [H, W] : {pairs} }}")
    assert str(pinned) == "H = W 32 or 33, and others such as 16x64"
    assert str(read("{ [H, W] : 2 <= H <= 90 and H <= W <= H + 7 and (H + 3*W) mod 5 = 2 and W != H }")) == (
        "some sizes, such as 2x5, 3x8 and 4x6"
    )


def outline_is_true(text: str, sizes: SizeSet) -> None:
    """Whether the members that are told are members, and the equal sizes all of them."""
    alike = re.fullmatch(r"(any )?H = W ?(.*?)(?:, and others such as (\d+)x(\d+))?", text)
    if alike is None:
        assert re.match(r"some sizes(, such as \d+x\d+|$)", text), text
        members = [tuple(map(int, each)) for each in re.findall(r"(\d+)x(\d+)", text)]
        assert all(each in sizes for each in members)
        return
    words = "any" if alike[1] else alike[2]
    words = f"only {words}" if re.fullmatch(r"\d+(, \d+| to \d+| or \d+)*", words) else words
    assert all(axis_holds(words, number) is ((number, number) in sizes) for number in range(1, 100)), text
    if alike[3]:
        assert (int(alike[3]), int(alike[4])) in sizes


@settings(max_examples=40, deadline=None, derandomize=True)
@given(single, single, st.sampled_from(["3H <= 5W + 7", "(2H + 3W) mod 5 <= 2", "(H - 2W) mod 7 != 3"]), st.booleans())
def test_what_an_outline_says_is_true(one: str, two: str, relation: str, either: bool) -> None:
    joined = "or" if either else "and"
    sizes = read(f"{{ [H, W] : H > 0 and W > 0 and (({one}) {joined} ({two.replace('H', 'W')})) and {relation} }}")
    if sizes:
        outline_is_true(sizes.outline, sizes)


def test_scattered_residues_without_an_end_are_told_by_the_first_and_the_period() -> None:
    residues = " or ".join(f"H mod 64 = {residue}" for residue in range(0, 36, 2))
    sizes = read(f"{{ [H] : H > 0 and ({residues}) }}")
    assert describe(sizes) is None
    assert str(sizes) == "some sizes, such as 2, 4 and 6, by their rest mod 64"


def test_the_words_do_not_depend_on_what_was_made_before() -> None:
    assert str(read("{ [Z, B] : Z = B and Z > 0 }")) == str(read("{ [Z, B] : B = Z and B > 0 }")) == "Z = B"


def test_all_multiples_come_before_the_few_that_run_besides() -> None:
    """A view by floors runs at the multiples of its window, and here and there where a floor is small."""
    names = ("H", "W")
    grid = SizeSet.read(names, "{ [H, W] : H mod 4 = 0 and W mod 4 = 0 and H > 0 and W > 0 }")
    few = SizeSet.read(names, "{ [H, W] : 5 <= H <= 7 and 5 <= W <= 11 }")
    assert some_members(grid | few) == "H and W multiples of 4, and others such as 5x5"
    others = SizeSet.read(names, "{ [H, W] : H = W and H mod 3 = 0 and H > 0 }")
    assert some_members(grid | others) == "H = W 0, 3, 4, 6, 8 or 9 mod 12, and others such as 4x8"
