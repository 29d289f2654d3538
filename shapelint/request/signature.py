"""Says what is wrong with inputs that do not fit the arguments of the function they are for."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from shapelint.errors import nearest
from shapelint.request.inputs import Inputs


def call_mistake(function: Callable[..., Any], inputs: Inputs) -> str:
    """Why a function cannot be called with the inputs, and what to write; "" where its signature takes them."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return ""
    try:
        signature.bind(*inputs.args, **inputs.kwargs)
    except TypeError as error:
        return f"{_shown(function, signature)} {_mistake(signature, inputs, error)}"
    return ""


def _shown(function: Callable[..., Any], signature: inspect.Signature) -> str:
    """`forward(image, mask, scale=1.0)`, without annotations."""
    plain = [each.replace(annotation=inspect.Parameter.empty) for each in signature.parameters.values()]
    arguments = signature.replace(parameters=plain, return_annotation=inspect.Signature.empty)
    return f"{getattr(function, '__name__', 'forward')}{arguments}"


def _mistake(signature: inspect.Signature, inputs: Inputs, error: TypeError) -> str:
    parameters = list(signature.parameters.values())
    kinds = {each.kind for each in parameters}
    positional = [each.name for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    named = [each.name for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
    wrong = [name for name in inputs.kwargs if name not in named]
    if wrong and inspect.Parameter.VAR_KEYWORD not in kinds:
        return f"has no argument {wrong[0]!r}" + (nearest(wrong[0], named) if named else "")
    if len(inputs.args) > len(positional) and inspect.Parameter.VAR_POSITIONAL not in kinds:
        given = f"{len(inputs.args)} inputs without a name are given"
        return f"takes {len(positional) or 'none'} by position, but {given}"
    bound = {*positional[: len(inputs.args)], *inputs.kwargs}
    required = [each.name for each in parameters if each.name in (*positional, *named) and each.default is each.empty]
    missing = [name for name in required if name not in bound]
    if not missing:
        return f"cannot take the inputs: {error}"
    example = missing[0]
    return f"needs {' and '.join(map(repr, missing))} too; give it with --input {example}=SPEC (call_kwargs in Python)"
