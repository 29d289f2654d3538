"""What the guards of an exported program call its inputs: `L['image']`, or `L['batch']['mask'][0]` inside of others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def input_paths(module: Any, count: int) -> list[str]:
    """The name of each input in guards, in the order of the inputs; empty where it cannot be told."""
    signature = next((each["signature"] for each in module["module_call_graph"] if each["fqn"] == ""), None)
    names = (signature or {}).get("forward_arg_names")
    if signature is None or not names:
        return []
    positional, keywords = json.loads(signature["in_spec"])[1]["children_spec"]
    words = json.loads(keywords["context"]) if keywords["children_spec"] else []
    found: list[str] = []
    for name, child in zip(names, positional["children_spec"], strict=False):
        found += _leaves(f"L[{name!r}]", child)
    for word, child in zip(words, keywords["children_spec"], strict=True):
        found += _leaves(f"L[{word!r}]", child)
    return found if len(found) == count else []


def _leaves(path: str, spec: Any) -> Iterator[str]:
    kind = spec["type"]
    if kind is None:
        yield path
        return
    keys = json.loads(spec["context"]) if kind == "builtins.dict" else list(range(len(spec["children_spec"])))
    for key, child in zip(keys, spec["children_spec"], strict=True):
        yield from _leaves(f"{path}[{key!r}]", child)
