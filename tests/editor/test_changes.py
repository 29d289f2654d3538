"""What the server does when files change that no editor has saved, and with settings that are none."""

from __future__ import annotations

import asyncio
from pathlib import Path

from lsprotocol import types
from lsprotocol.types import DidChangeConfigurationParams

from tests.editor.client import ANNOTATED, Editor, in_editor

WIDE = ANNOTATED.replace("from torch import nn", "from torch import nn\nfrom sizes import WIDTH").replace("8", "WIDTH")


def test_a_file_that_is_imported_may_change_come_and_go(tmp_path: Path) -> None:
    sizes = tmp_path / "sizes.py"

    async def act(editor: Editor) -> None:
        async def after(text: str | None, kind: types.FileChangeType) -> list[types.Diagnostic]:
            sizes.unlink() if text is None else sizes.write_text(text)
            event = types.FileEvent(sizes.as_uri(), kind)
            params = types.DidChangeWatchedFilesParams([event])
            editor.client.workspace_did_change_watched_files(params)
            editor.client.workspace_did_change_watched_files(params)  # told once more, it is the same file
            return await editor.diagnostics()

        (found,) = await editor.opened()
        assert "No module named 'sizes'" in found.message
        (found,) = await after("WIDTH = 8\n", types.FileChangeType.Created)
        assert found.code == "SL101"
        (found,) = await after("WIDTH = 8 +\n", types.FileChangeType.Changed)
        assert found.range.start.line == 2
        assert found.message.endswith("SyntaxError: invalid syntax (sizes.py:1)")
        (found,) = await after(None, types.FileChangeType.Deleted)
        assert "No module named 'sizes'" in found.message
        assert editor.told.empty()

    in_editor(tmp_path, WIDE, act)


def test_a_text_that_is_changed_on_the_disk_gets_actions_for_the_text_that_was_checked(tmp_path: Path) -> None:
    async def act(editor: Editor) -> None:
        await editor.opened()
        editor.file.write_text("# another\n# text\n" + ANNOTATED)
        ignoring = (await editor.actions())["Ignore SL101 here"].edit
        assert ignoring is not None
        assert ignoring.changes is not None
        (edit,) = ignoring.changes[editor.file.as_uri()]
        assert edit.new_text.endswith("padding=1)  # shapelint: ignore[SL101]")

    in_editor(tmp_path, ANNOTATED, act)


def test_a_setting_that_is_none_is_told_in_one_line_once(tmp_path: Path) -> None:
    said: list[str] = []

    async def act(editor: Editor) -> None:
        editor.client.feature(types.WINDOW_SHOW_MESSAGE)(lambda given: said.append(given.message))
        given = ({"timeout": "long"}, {"timeout": -1}, {"timeout": -1}, {"inlayHint": False}, {"codeLens": True})
        for settings in given:
            params = DidChangeConfigurationParams({"shapelint": settings})
            editor.client.workspace_did_change_configuration(params)
        await editor.hints()  # behind them in the queue
        await asyncio.sleep(0)

    in_editor(tmp_path, ANNOTATED, act)
    number = "the setting 'timeout' must be a number of seconds above 0, not"
    spelt = "there is no setting 'inlayHint', did you mean 'inlayHints'?"
    assert said == [f"shapelint: {each}" for each in (f"{number} 'long'", f"{number} -1", spelt)]
