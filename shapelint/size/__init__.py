"""Sizes that remember where they come from, and sets of them: see README.md in this folder."""

from shapelint.size import expression as _expression  # noqa: F401  (tells pickle how)
from shapelint.size import union as _union  # noqa: F401  (tells what `a | b` of sizes is)
from shapelint.size.function import Function, constant, symbol
from shapelint.size.isl_form import Undecidable
from shapelint.size.number import Size
from shapelint.size.ratio import Ratio
from shapelint.size.sets import SizeSet

__all__ = ["Function", "Ratio", "Size", "SizeSet", "Undecidable", "constant", "symbol"]
