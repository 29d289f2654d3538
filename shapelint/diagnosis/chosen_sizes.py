"""The sizes that people choose for a picture, a map or a signal: a layer that is a row off may be there for one."""

from __future__ import annotations

from collections.abc import Sequence

_LARGE, _ROUND, _GRID = 64, 50, 16
_CHOSEN = (1, 3, 5, 7)
_CHOSEN_BY_ONE = (*range(1, 16, 2), 25, 45, 75, 125)
_OF_DATA = frozenset(
    {
        *(84, 105),  # frames of Atari games, Omniglot
        *(178, 218),  # faces of CelebA
        *(227, 299, 331),  # what the first networks of ImageNet, Inception and NASNet take
        *(140, 187),  # heartbeats: ECG5000, MIT-BIH
        784,  # a digit as a row
        *(91, 109, 181, 217),  # brains in the space of MNI, at 2 and at 1 mm
        *(361, 721),  # the globe by half and by quarter degrees, with both poles
    }
)


def is_chosen(given: Sequence[int], *, by_one: bool) -> bool:
    """Whether a layer may miss its multiple on purpose, so that the output has a size which people choose.

    That is 1 or 7 times a power of two, a large one 3 or 5 times, whole fifties, or the size of well known data;
    where it misses by one row alone, also other round numbers, and one more than a power of two, as the bins of a
    spectrum and the corners of a grid are.
    """
    return all(_is_one(size, by_one=by_one) for size in given)


def _is_one(size: int, *, by_one: bool) -> bool:
    part = size // (size & -size) if size else 0
    if size in _OF_DATA or (size > _ROUND and size % _ROUND == 0):
        return True
    if by_one:
        is_corner = size > _GRID and (size - 1) & (size - 2) == 0
        return is_corner or (part in _CHOSEN_BY_ONE and (part <= max(_CHOSEN) or size >= 4 * part))
    return part in _CHOSEN and (part not in (3, 5) or size >= _LARGE)
