"""Sizes that remember where they come from, and sets of them: see README.md in this folder."""

from shapelint.size.function import Function, constant, symbol
from shapelint.size.number import Ratio, Size
from shapelint.size.sets import SizeSet, Undecidable

__all__ = ["Function", "Ratio", "Size", "SizeSet", "Undecidable", "constant", "symbol"]
