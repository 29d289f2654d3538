"""A client of the language server with one file, as an editor is one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

NET = """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)

    def forward(self, x):
        "\U0001f40d"; y = self.up(self.down(x))
        return y
"""
ANNOTATED = NET.replace("class Net", "# shapelint: input=1,3,6,6\nclass Net")
EVERYWHERE = types.Range(types.Position(0, 0), types.Position(100, 0))


@dataclass
class Editor:
    """A client with one file, and what the server tells of it."""

    client: LanguageClient
    file: Path
    told: asyncio.Queue[types.PublishDiagnosticsParams]

    @property
    def document(self) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.file.as_uri())

    async def diagnostics(self) -> list[types.Diagnostic]:
        return list((await asyncio.wait_for(self.told.get(), 90)).diagnostics)

    async def codes(self, count: int) -> dict[str, list[Any]]:
        """The codes that the next messages tell, by the path of the file from the folder of this one."""
        found = [await asyncio.wait_for(self.told.get(), 90) for _ in range(count)]
        start = self.file.parent.as_uri() + "/"
        return {each.uri.removeprefix(start): [one.code for one in each.diagnostics] for each in found}

    def open(self, file: Path, encoding: str = "utf-8") -> None:
        item = types.TextDocumentItem(file.as_uri(), "python", 1, file.read_text(encoding))
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    async def opened(self) -> list[types.Diagnostic]:
        self.open(self.file)
        return await self.diagnostics()

    def change(self, text: str, version: int = 2) -> None:
        whole = types.TextDocumentContentChangeWholeDocument(text)
        document = types.VersionedTextDocumentIdentifier(version, self.file.as_uri())
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [whole]))

    def save(self, text: str) -> None:
        self.change(text)
        self.file.write_text(text)
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(self.document))

    async def hints(self) -> list[tuple[int, int, Any]]:
        found = await self.client.text_document_inlay_hint_async(types.InlayHintParams(self.document, EVERYWHERE))
        return [(each.position.line, each.position.character, each.label) for each in found or ()]

    async def actions(self, *only: str) -> dict[str, types.CodeAction]:
        given = types.CodeActionParams(self.document, EVERYWHERE, types.CodeActionContext([], only=only or None))
        found = await self.client.text_document_code_action_async(given)
        return {each.title: each for each in found or () if isinstance(each, types.CodeAction)}


@asynccontextmanager
async def editing(file: Path, text: str, **settings: Any) -> AsyncIterator[Editor]:
    file.write_text(text)
    client = LanguageClient("test", "1")
    editor = Editor(client, file, asyncio.Queue())
    client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(lambda given: editor.told.put_nowait(given))
    client.feature(types.WINDOW_LOG_MESSAGE)(lambda given: None)
    await client.start_io(sys.executable, "-m", "shapelint", "lsp")
    folder = types.WorkspaceFolder(file.parent.as_uri(), "project")
    hints = types.InlayHintClientCapabilities()
    capabilities = types.ClientCapabilities(text_document=types.TextDocumentClientCapabilities(inlay_hint=hints))
    await client.initialize_async(
        types.InitializeParams(capabilities, workspace_folders=[folder], initialization_options=settings)
    )
    client.initialized(types.InitializedParams())
    yield editor
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()


def in_editor(tmp_path: Path, text: str, act: Callable[[Editor], Awaitable[None]], **settings: Any) -> None:
    async def session() -> None:
        async with editing(tmp_path / "net.py", text, **settings) as editor:
            await act(editor)

    asyncio.run(session())
