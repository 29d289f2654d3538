"""The server of the Language Server Protocol: checks a file when it is opened and saved, and answers from that."""

from __future__ import annotations

import ast
import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from shapelint.editor.positions import Moved
from shapelint.editor.process import Answer, WarmProcess
from shapelint.editor.told import FIX_ALL, Checked, actions, diagnostics, hints, hover, lenses

_PATIENCE: Final = 60.0
_HURRY: Final = 2.0


@dataclass(slots=True)
class Settings:
    """What the client asks for, as `initializationOptions` or the section `shapelint` of its configuration."""

    trusted: bool = True
    inlayHints: bool = True  # noqa: N815 - as it is spelt in the settings of editors
    codeLens: bool = True  # noqa: N815
    timeout: float = _PATIENCE
    rulePage: str = ""  # noqa: N815

    def take(self, given: Any) -> None:
        """Takes over those settings that are of the right type; others stay as they are."""
        for each in fields(self) if isinstance(given, Mapping) else ():
            value = given.get(each.name)
            kinds = (int, float) if each.name == "timeout" else type(getattr(self, each.name))
            if isinstance(value, kinds) and isinstance(value, bool) == isinstance(each.default, bool):
                setattr(self, each.name, value)


@dataclass(slots=True)
class OpenFile:
    """What is known of a file: the last check that gave anything, and the lines that it read."""

    lines: tuple[str, ...] = ()
    checked: Checked | None = None
    asked: int = 0


@dataclass(slots=True)
class State:
    """What the server knows."""

    settings: Settings = field(default_factory=Settings)
    files: dict[str, OpenFile] = field(default_factory=dict)
    processes: dict[str, WarmProcess] = field(default_factory=dict)
    running: dict[str, float] = field(default_factory=dict)


class Server(LanguageServer):
    """The language server with its state."""

    def __init__(self) -> None:
        super().__init__("shapelint", version("shapelint"))
        self.state = State()

    async def check(self, uri: str) -> None:
        """Checks the file as it lies on the disk and tells the client; an answer that is outdated is dropped."""
        file = to_fs_path(uri)
        if file is None or not self.state.settings.trusted or not file.endswith(".py"):
            return
        known = self.state.files.setdefault(uri, OpenFile())
        known.asked += 1
        asked = known.asked
        lines = _lines(file)
        if not _is_python(lines):
            return  # what was known of the text before stays; its lines are found again
        answer = await self._answered(file)
        if known.asked == asked:
            known.lines, known.checked = lines, Checked(file, answer.reports, answer.failures)
            self._tell(uri, known)

    async def _answered(self, file: str) -> Answer:
        """The answer of the process of the file's folder; a check that takes long is ended for a newer one."""
        folder = self._folder(file)
        process = self.state.processes.setdefault(folder, WarmProcess(folder))
        loop = asyncio.get_running_loop()
        begun = self.state.running.get(folder)
        if begun is not None and loop.time() - begun > _HURRY:
            process.stop()
        self.state.running[folder] = loop.time()
        answer = await process.check(file, self.state.settings.timeout)
        self.state.running.pop(folder, None)
        return answer

    def _folder(self, file: str) -> str:
        """The folder of the workspace in which a file lies; its own where there is none."""
        found = [to_fs_path(uri) or "" for uri in self.workspace.folders]
        around = [each for each in found if each and Path(file).is_relative_to(each)]
        return max(around, key=len, default=os.path.dirname(file))

    def _tell(self, uri: str, known: OpenFile) -> None:
        moved = self.moved(uri)
        if moved is None or known.checked is None:
            return
        found = diagnostics(known.checked, moved, self.state.settings.rulePage)
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found))
        workspace = self.client_capabilities.workspace
        if workspace is not None and workspace.inlay_hint and workspace.inlay_hint.refresh_support:
            self.workspace_inlay_hint_refresh(None)
        if workspace is not None and workspace.code_lens and workspace.code_lens.refresh_support:
            self.workspace_code_lens_refresh(None)

    def moved(self, uri: str) -> Moved | None:
        """Where the lines that were checked are now; None for a file of which nothing is known."""
        known = self.state.files.get(uri)
        if known is None or known.checked is None:
            return None
        document = self.workspace.get_text_document(uri)
        return Moved.between(known.lines, document.lines, document.position_codec)

    def known(self, uri: str) -> tuple[Checked, Moved] | None:
        """The last check of a file, and where its lines are now."""
        moved, known = self.moved(uri), self.state.files.get(uri)
        return None if moved is None or known is None or known.checked is None else (known.checked, moved)


def _lines(file: str) -> tuple[str, ...]:
    with suppress(OSError, UnicodeError):
        return tuple(Path(file).read_text("utf-8").splitlines())
    return ()


def _is_python(lines: tuple[str, ...]) -> bool:
    try:
        ast.parse("\n".join(lines))
    except (SyntaxError, ValueError):
        return False
    return True


def server() -> Server:
    """The server with all that it can be asked."""
    made = Server()

    @made.feature(types.INITIALIZE)
    def initialize(given: types.InitializeParams) -> None:
        made.state.settings.take(given.initialization_options)

    @made.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def configure(given: types.DidChangeConfigurationParams) -> None:
        settings = given.settings
        made.state.settings.take(settings.get("shapelint", settings) if isinstance(settings, Mapping) else None)

    @made.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(given: types.DidOpenTextDocumentParams) -> None:
        await made.check(given.text_document.uri)

    @made.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def saved(given: types.DidSaveTextDocumentParams) -> None:
        await made.check(given.text_document.uri)

    @made.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(given: types.DidCloseTextDocumentParams) -> None:
        made.state.files.pop(given.text_document.uri, None)
        made.text_document_publish_diagnostics(types.PublishDiagnosticsParams(given.text_document.uri, []))

    @made.feature(types.SHUTDOWN)
    def ended(given: Any) -> None:
        for process in made.state.processes.values():
            process.stop()

    _answering(made)
    return made


def _answering(made: Server) -> None:
    """Adds what is answered at once from the last check of a file."""

    @made.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    def shown(given: types.InlayHintParams) -> list[types.InlayHint]:
        known = made.known(given.text_document.uri) if made.state.settings.inlayHints else None
        return [] if known is None else hints(*known, given.range.start.line, given.range.end.line)

    @made.feature(types.TEXT_DOCUMENT_HOVER)
    def hovered(given: types.HoverParams) -> types.Hover | None:
        known = made.known(given.text_document.uri)
        return None if known is None else hover(*known, given.position.line)

    @made.feature(types.TEXT_DOCUMENT_CODE_LENS)
    def above(given: types.CodeLensParams) -> list[types.CodeLens]:
        known = made.known(given.text_document.uri) if made.state.settings.codeLens else None
        return [] if known is None else lenses(*known)

    kinds = [types.CodeActionKind.QuickFix, FIX_ALL]

    @made.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(kinds))
    def act(given: types.CodeActionParams) -> list[types.CodeAction]:
        known = made.known(given.text_document.uri)
        found = [] if known is None else actions(*known, given.text_document.uri, given.range)
        only = given.context.only
        return found if only is None else [each for each in found if _asked_for(str(each.kind), list(only))]


def _asked_for(kind: str, only: list[Any]) -> bool:
    """Whether an action is of one of the kinds, or of a part of it: `source` asks for `source.fixAll.shapelint` too."""
    return any(kind == str(each) or kind.startswith(f"{each}.") for each in only)


def serve() -> None:
    """Speaks the protocol on standard input and output until the client ends it."""
    server().start_io()
