"""Who listens to the sizes of a run: one tracker at a time hears what is decided and what is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import reduce
from typing import Any, Final, Protocol

from shapelint.size.atoms import Symbol
from shapelint.size.condition import Compare, Condition, equalities
from shapelint.size.division import divide_exactly
from shapelint.size.function import Atom, Function, NotQuasiAffine
from shapelint.size.substitution import with_atoms

_DEEPEST: Final = 160


class Tracker(Protocol):
    """Hears what one run of a model decides and loses; `sizes` are what the symbols have in it."""

    sizes: Mapping[str, int]

    @property
    def known(self) -> Mapping[int, Any]:
        """What is known of the run's tensors, by their ids."""

    def assume(self, condition: Condition) -> None:
        """The run goes the way on which the condition holds."""

    def takes(self, condition: Condition, holds: bool) -> bool:
        """Whether the run goes on as if the condition held, which it does where `holds` says so."""

    def leak(self, reason: str) -> None:
        """A size was used as a plain number, so its function is lost."""

    def text(self) -> None:
        """A size was written into a text, which is a leak unless the text is only shown to somebody."""


_current: Tracker | None = None
_zeros: list[Function] = []
_not_negative: set[Function] = set()
_known: dict[Atom, int] = {}
_names: set[str] = set()
_rewritten: dict[Function, Function] = {}
_multiples: list[Mapping[Atom, Function]] = []


_provers: list[Callable[[Function], bool]] = []


def proven(function: Function) -> bool:
    """Whether a function is at least 0 at all sizes of the path, as far as a run with loops knows its path."""
    return bool(_provers) and _provers[-1](function)


@contextmanager
def provers(prove: Callable[[Function], bool]) -> Iterator[None]:
    """While it is open, `prove` is asked about such functions."""
    _provers.append(prove)
    try:
        yield
    finally:
        _provers.remove(prove)


def track(tracker: Tracker | None) -> Tracker | None:
    """Makes `tracker` the current one and returns the one before."""
    global _current
    before, _current = _current, tracker
    for found in (_zeros, _not_negative, _known, _names, _rewritten, _multiples):
        found.clear()
    return before


def tracker() -> Tracker | None:
    """The tracker that listens now."""
    return _current


def settle(condition: Condition) -> None:
    """Takes in what holds on the path of the current run: which atoms have one value there, one from another."""
    zeros = equalities(condition)
    _zeros.extend(zeros)
    if isinstance(condition, Compare) and not condition.equal and condition.function.affine:
        _not_negative.add(condition.function)
    while found := {atom: value for atom, value in filter(None, map(_pinned, zeros)) if atom not in _known}:
        _known.update(found)
        _names.update(atom.name for atom in found if isinstance(atom, Symbol))
        _rewritten.clear()
        zeros = tuple(_zeros)


def _pinned(zero: Function) -> tuple[Atom, int] | None:
    """The one atom that this affine function has on the path, and the value at which it is 0."""
    terms = on_path(zero).terms
    atoms = [(monomial[0], scale) for monomial, scale in terms if monomial]
    rest = -sum(number for monomial, number in terms if not monomial)
    if len(atoms) != 1 or rest % atoms[0][1]:
        return None
    return atoms[0][0], rest // atoms[0][1]


def ceiling(function: Function) -> int | None:
    """A number that a function does not exceed on the path of the current run, as far as one comparison shows it."""
    sums = ((on_path(known) + function).constant for known in _not_negative)
    return min((number for number in sums if number is not None), default=None)


def on_path(function: Function) -> Function:
    """The function with the values that its atoms have on the path of the current run."""
    if not _known or function.constant is not None:
        return function
    if function not in _rewritten:
        before, found = function, with_atoms(function, _known)
        while found != before:  # a value in a division may make it another one that is known
            before, found = found, with_atoms(found, _known)
        _rewritten[function] = found
    return _rewritten[function]


def divide_on_path(function: Function, divisor: Function) -> Function:
    """The quotient of a product by one of its factors, as the equalities on the path show it; else NotQuasiAffine.

    Where H and W are multiples of 4 on it, `N * (H//4) * (W//4)` by `H * W // 16` is N.
    """
    with suppress(NotQuasiAffine):
        return divide_exactly(function, divisor)
    return divide_exactly(*_in_multiples(function, divisor))


def _in_multiples(*functions: Function) -> tuple[Function, ...]:
    """The functions with d * b in the place of each a that an equality a == d * b on the path makes a multiple."""
    for zero in _zeros:
        found = _multiple(reduce(with_atoms, _multiples, on_path(zero)))
        if found is not None:
            _multiples.append(found)
    return tuple(reduce(with_atoms, _multiples, on_path(each)) for each in functions)


def _multiple(zero: Function) -> Mapping[Atom, Function] | None:
    """What stands in the place of an atom where a function of two atoms is 0; the later one where they are equal."""
    if len(zero.terms) != 2 or not all(len(monomial) == 1 for monomial, _ in zero.terms):
        return None
    ((taken,), one), ((kept,), other) = sorted(zero.terms, key=lambda term: (abs(term[1]), -term[0][0].order))
    if one * other > 0 or other % one:
        return None
    return {taken: Function((((kept,), -other // one),))}


def settled(symbols: frozenset[str]) -> bool:
    """Whether each of the symbols has one value on the path of the current run."""
    return bool(_names) and symbols <= _names


def symbolic(number: object) -> bool:
    """Whether a number carries a function in the current run; objects that are no int are asked for nothing."""
    return _current is not None and issubclass(type(number), int) and getattr(number, "_tracker", None) is _current


def _followed(number: object) -> bool:
    """Whether a number, a size or a float computed from sizes, belongs to the current run."""
    if issubclass(type(number), float):
        return _current is not None and getattr(number, "_heard_by", None) is _current
    return symbolic(number)


def tell(*numbers: object) -> None:
    """Tells the current tracker, if any of the numbers is its own, that they were written into a text."""
    if _current is not None and any(map(_followed, numbers)):
        _current.text()


def lose(reason: str, *numbers: object) -> None:
    """Tells the current tracker, if any of the numbers is its own, that they became plain numbers."""
    if _current is not None and any(map(_followed, numbers)):
        _current.leak(reason)


def lost_in_depth(function: Function) -> bool:
    """Whether a function has more minima, maxima and divisions in each other than can be followed; then a leak."""
    lost = function.depth > _DEEPEST
    if lost and _current is not None:
        _current.leak(f"a size of more than {_DEEPEST} minima, maxima or divisions in each other")
    return lost


_hashed_next: dict[int, int] = {}


def plain_hash_next(sizes: Iterable[int], *, times: int = 1) -> None:
    """Lets these sizes, which are hashed next, be hashed so often as plain numbers without a word, and no other."""
    _hashed_next.clear()
    for each in sizes:  # one of them may stand in a tuple twice
        _hashed_next[id(each)] = _hashed_next.get(id(each), 0) + times


def lose_as_key(number: object) -> None:
    """Tells that a size is hashed, unless it was compared with all keys."""
    if _hashed_next.get(id(number)):
        _hashed_next[id(number)] -= 1
    else:
        lose("a size used as a key", number)


def is_of_numpy(value: object) -> bool:
    """Whether the class of a value is one of numpy's own; one that `type` made may have no module."""
    return getattr(type(value), "__module__", "") == "numpy"


def is_array(value: object) -> bool:
    """Whether a value is an array of numpy's, whose comparisons have an answer for each element."""
    return is_of_numpy(value) and getattr(value, "ndim", 0) > 0
