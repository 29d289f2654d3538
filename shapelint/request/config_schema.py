"""The JSON schema of `[tool.shapelint]`, made from the table of its settings: editors complete and check with it."""

from __future__ import annotations

from typing import Any, Final

from shapelint.request.config import MODEL_SETTINGS, PROVIDERS, SETTINGS

_TEXT: Final[dict[str, Any]] = {"type": "string"}
_TEXTS: Final[dict[str, Any]] = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_PROVIDER: Final[dict[str, Any]] = {"enum": list(PROVIDERS)}
_SIZE: Final[dict[str, Any]] = {"type": ["integer", "string"]}
_ABOUT: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "select": ("Only these rules: codes, the starts of codes, or names.", _TEXTS),
    "extend-select": ("Rules besides those of select.", _TEXTS),
    "ignore": ("All rules but these.", _TEXTS),
    "per-file-ignores": (
        "Rules that are ignored in files: a pattern, and the rules.",
        {"type": "object", "additionalProperties": _TEXTS},
    ),
    "models": ("The models that are checked where no target is named.", {}),
    "confirm": (
        "Where onnxruntime runs the models too, or false.",
        {"anyOf": [{"const": False}, _PROVIDER, {"type": "array", "items": _PROVIDER}]},
    ),
    "cache-dir": ("The folder of the cache.", _TEXT),
    "timeout": ("Seconds for each model; 0 is no limit.", {"type": "number", "minimum": 0}),
    "target": ("The model: net.py:Net, pkg.mod:Net, or a file of ONNX or torch.export.", {**_TEXT, "minLength": 1}),
    "input": ("An input such as 1,3,H,W, or a list of them.", _TEXTS),
    "build": ("The call that builds the model, such as Net(3, (64, 32)).", _TEXT),
    "kwargs": ("Arguments that build the model.", {"type": "object"}),
    "call-kwargs": ("Arguments of its call.", {"type": "object"}),
    "expect": ("The wanted size of the first output, such as _,1,H,W.", _TEXT),
    "sizes": (
        "The sizes that matter, such as H=32..512:32.",
        {
            "anyOf": [
                *_TEXTS["anyOf"],
                {"type": "object", "additionalProperties": {"anyOf": [_SIZE, {"type": "array", "items": _SIZE}]}},
            ]
        },
    ),
    "method": ("The method to call in the place of forward.", _TEXT),
    "train": ("Whether the model is checked in training mode.", {"type": "boolean"}),
}


def schema() -> dict[str, Any]:
    """The schema, as JSON's own types."""
    model = {**_object(MODEL_SETTINGS), "required": ["target"]}
    settings = _object(SETTINGS)
    settings["properties"]["models"] |= {"type": "array", "items": model}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "[tool.shapelint] of pyproject.toml",
        **settings,
    }


def _object(keys: Any) -> dict[str, Any]:
    about = {key: {"description": _ABOUT[key][0], **_ABOUT[key][1]} for key in keys}
    return {"type": "object", "additionalProperties": False, "properties": about}
