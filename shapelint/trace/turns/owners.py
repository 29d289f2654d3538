"""What code may read of the modules and classes that it reaches: the attributes for which it has names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import CodeType, ModuleType
from typing import Any, Final

from shapelint.caches import kept
from shapelint.instrument.instrument import nested_codes
from shapelint.source.ownership import is_foreign, is_foreign_class

ALL_NAMES: Final = frozenset({"globals", "vars", "eval", "exec", "__import__", "modules"})
_PLAIN: Final = (int, float, complex, str, bytes, list, dict, set, ModuleType, type)


@kept(4096)
def names_in(code: CodeType) -> frozenset[str]:
    """The names in a code and in those inside of it, and the texts that `getattr` may be given."""
    codes = (code, *nested_codes(code))
    texts = (text for each in codes for text in each.co_consts if isinstance(text, str) and text.isidentifier())
    return frozenset([*(name for each in codes for name in each.co_names), *texts])


class Owners:
    """The modules and classes of one walk; `read` are the names in all code that it met."""

    def __init__(self) -> None:
        self.read = set[str]()
        self._met = dict[int, ModuleType | type]()
        self._taken = set[tuple[int, str]]()

    def meet(self, owner: ModuleType | type) -> None:
        """Takes in a module or a class."""
        self._met.setdefault(id(owner), owner)

    def unread(self) -> Iterator[tuple[str, Any]]:
        """What the names stand for now and was not told before: of torch and its kind only what is data."""
        for owner in list(self._met.values()):
            space: Mapping[str, Any] = vars(owner)
            foreign = is_foreign(owner.__name__) if isinstance(owner, ModuleType) else is_foreign_class(owner)
            if isinstance(owner, type) and not foreign:
                continue  # a walk goes through the whole of it
            everything = not foreign and ALL_NAMES & self.read
            for name in sorted(space.keys() if everything else space.keys() & self.read):
                if name.startswith("__") or (id(owner), name) in self._taken or (foreign and name == "modules"):
                    continue
                self._taken.add((id(owner), name))
                if not foreign or isinstance(space[name], _PLAIN):
                    yield name, space[name]
