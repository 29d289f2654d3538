"""The language server in a workspace: several folders, files that tell of each other, links and settings."""

from __future__ import annotations

import asyncio
from pathlib import Path

from lsprotocol import types
from lsprotocol.types import DidChangeConfigurationParams, DidChangeWorkspaceFoldersParams, WorkspaceFoldersChangeEvent

from tests.editor.client import ANNOTATED, EVERYWHERE, Editor, in_editor

PART = """
from torch import nn


# shapelint: input=1,3,6,6
class Half(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)

    def forward(self, x):
        return self.up(self.down(x))
"""
WHOLE = """
from torch import nn

from part import Half


# shapelint: input=1,3,6,6
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.part = Half()

    def forward(self, x):
        return self.part(x)
"""


def test_folders_come_and_go_each_with_its_configuration(tmp_path: Path) -> None:
    async def act(editor: Editor) -> None:
        (found,) = await editor.opened()
        assert found.code_description is None
        strict = tmp_path / "more" / "net.py"
        strict.parent.mkdir()
        strict.write_text(ANNOTATED)
        (strict.parent / "pyproject.toml").write_text('[tool.shapelint]\nignore = ["SL101"]\n')
        editor.open(strict)
        assert await editor.codes(1) == {"more/net.py": []}
        more = types.WorkspaceFolder(strict.parent.as_uri(), "more")
        for change in (WorkspaceFoldersChangeEvent([more], []), WorkspaceFoldersChangeEvent([], [more])):
            editor.client.workspace_did_change_workspace_folders(DidChangeWorkspaceFoldersParams(change))
            assert await editor.codes(1) == {"more/net.py": []}
        settings = {"shapelint": {"rulePage": "https://docs.example/{code}/{name}.html#{other}"}}
        editor.client.workspace_did_change_configuration(DidChangeConfigurationParams(settings))
        told = {each.uri: each.diagnostics for each in [await editor.told.get(), await editor.told.get()]}
        link = told[editor.file.as_uri()][0].code_description
        assert link is not None
        assert link.href == "https://docs.example/SL101/round-trip-size.html#{other}"

    in_editor(tmp_path, ANNOTATED, act)


def test_a_finding_is_told_of_the_file_in_which_it_has_its_place(tmp_path: Path) -> None:
    part = tmp_path / "part.py"
    part.write_text(PART)

    async def act(editor: Editor) -> None:
        editor.open(editor.file)
        assert await editor.codes(2) == {"net.py": [], "part.py": ["SL101"]}
        assert [line for line, _, _ in await editor.hints()] == [13]
        editor.open(part)
        (found,) = await editor.diagnostics()
        assert found.message.startswith("`up` gives back")  # and not `part.up` besides, which is the same layer
        part.write_text(PART.replace("padding=1)\n\n", "padding=1, output_padding=1)\n\n"))
        document = types.TextDocumentIdentifier(part.as_uri())
        editor.client.text_document_did_save(types.DidSaveTextDocumentParams(document))
        told = [await editor.codes(1) for _ in range(3)]  # of the file itself, and of the model that is built of it
        assert {"net.py": []} in told
        assert told[-1] == {"part.py": []}

    in_editor(tmp_path, WHOLE, act)


def test_a_cancelled_request_is_answered_and_a_file_of_any_encoding_is_read(tmp_path: Path) -> None:
    latin = tmp_path / "latin.py"
    text = "# -*- coding: latin-1 -*-\n# \xe9\n\x0c" + ANNOTATED.replace("\U0001f40d", "\xe9")
    latin.write_bytes(text.encode("latin-1"))

    async def act(editor: Editor) -> None:
        await editor.opened()
        protocol = editor.client.protocol
        asked = types.InlayHintParams(editor.document, EVERYWHERE)
        waiting = protocol.send_request_async(types.TEXT_DOCUMENT_INLAY_HINT, asked, msg_id="cancelled")
        task = asyncio.ensure_future(waiting)
        await asyncio.sleep(0)
        protocol.notify(types.CANCEL_REQUEST, types.CancelParams("cancelled"))
        assert len(await asyncio.wait_for(task, 10)) == 1  # it had been answered when it was cancelled
        editor.open(latin, "latin-1")
        (found,) = await editor.diagnostics()
        assert (found.code, found.range.start.line, found.range.start.character) == ("SL101", 11, 18)

    in_editor(tmp_path, ANNOTATED, act)
