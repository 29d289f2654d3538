"""The extension for Visual Studio Code offers the settings that the server takes; its own tests are run by npm."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from shapelint.editor.settings import Settings

FOLDER = Path(__file__).parent.parent.parent / "editors" / "vscode"


def test_the_settings_are_those_of_the_server() -> None:
    offered = json.loads((FOLDER / "package.json").read_text())["contributes"]["configuration"]["properties"]
    defaults = {name.removeprefix("shapelint."): each["default"] for name, each in offered.items()}
    for own in ("path", "interpreter", "trace.server"):
        del defaults[own]
    assert defaults | {"trusted": True} == asdict(Settings())


def test_the_lock_file_names_no_registry() -> None:
    packages = json.loads((FOLDER / "package-lock.json").read_text())["packages"]
    assert not [name for name, each in packages.items() if "resolved" in each]
