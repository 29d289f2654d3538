"""The JSON schema of the settings agrees with the code that reads them, and the file in the package with both."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import shapelint.request
from shapelint.errors import ConfigError
from shapelint.request.config import MODEL_SETTINGS, SETTINGS, read_config
from shapelint.request.config_schema import schema
from tests.request.test_config import TABLE

FILE = Path(shapelint.request.__file__).with_name("schema.json")


def accepted(table: Any) -> tuple[bool, bool]:
    """Whether the schema takes a table, and whether the code does."""
    try:
        read_config(Path("pyproject.toml").absolute(), table)
        read = True
    except ConfigError:
        read = False
    return jsonschema.Draft202012Validator(schema()).is_valid(table), read


def test_the_file_is_what_the_table_gives() -> None:
    """Write it anew with the schema of `config_schema.schema()` where this fails."""
    assert json.loads(FILE.read_text()) == schema()
    jsonschema.Draft202012Validator.check_schema(schema())


def test_every_key_is_in_the_schema() -> None:
    properties = schema()["properties"]
    assert list(properties) == list(SETTINGS)
    assert list(properties["models"]["items"]["properties"]) == list(MODEL_SETTINGS)


def test_both_take_what_a_project_writes() -> None:
    assert accepted(tomllib.loads(TABLE)["tool"]["shapelint"]) == (True, True)
    assert accepted({"extend-select": ["SL9"], "confirm": "cuda", "timeout": 0}) == (True, True)


@pytest.mark.parametrize(
    "table",
    [
        {"selct": []}, {"select": 1}, {"select": [1]}, {"ignore": {}}, {"per-file-ignores": ["x"]}, {"confirm": True},
        {"per-file-ignores": {"a": 1}}, {"confirm": ["tpu"]}, {"timeout": -1}, {"timeout": "1"}, {"cache-dir": 1},
        {"models": {}}, {"models": [{}]}, {"models": [{"target": 1}]}, {"models": [{"target": "n:N", "train": 1}]},
        {"models": [{"target": "n:N", "input": 3}]}, {"models": [{"target": "n:N", "kwargs": []}]},
        {"models": [{"target": "n:N", "sizes": {"H": [True]}}]}, {"models": [{"target": "n:N", "inputs": "1"}]},
        {"models": [{"target": "n:N", "sizes": 1}]}, {"models": [{"target": "n:N", "method": []}]}, [],
    ],
)  # fmt: skip
def test_both_refuse_what_is_wrong(table: Any) -> None:
    assert accepted(table) == (False, False)
