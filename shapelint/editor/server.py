"""The server of the Language Server Protocol: checks a file when it is opened and saved, and answers from that."""

from __future__ import annotations

import ast
import asyncio
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path

from shapelint.editor.importers import importers
from shapelint.editor.positions import Moved
from shapelint.editor.process import Printed, WarmProcess
from shapelint.editor.settings import Settings
from shapelint.editor.told import FIX_ALL, Checked, actions, diagnostics, hints, hover, lenses, lines_of, said_once
from shapelint.request.config import FILE
from shapelint.source.ownership import installed

_WATCHED: Final = ("**/*.py", f"**/{FILE}")


@dataclass(slots=True)
class OpenFile:
    """What is known of a file: the last check that gave anything, how often it was asked for, and in which folder."""

    checked: Checked | None = None
    asked: int = 0
    folder: str = ""

    def tells_of(self, files: frozenset[str]) -> bool:
        """Whether the last check tells of lines of some files."""
        return self.checked is not None and not files.isdisjoint(self.checked.lines)


@dataclass(slots=True)
class State:
    """What the server knows."""

    settings: Settings = field(default_factory=Settings)
    files: dict[str, OpenFile] = field(default_factory=dict)
    processes: dict[str, WarmProcess] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    complaints: dict[str, None] = field(default_factory=dict)

    def changed(self, file: str) -> bool:
        """Whether a file on the disk is another one than when this was asked last."""
        before, now = self.times.get(file), 0
        with suppress(OSError):
            now = os.stat(file).st_mtime_ns
        self.times[file] = now
        return now != before


class Server(LanguageServer):
    """The language server with its state."""

    def __init__(self) -> None:
        super().__init__("shapelint", version("shapelint"))
        self.state = State()

    async def check(self, uri: str) -> None:
        """Checks the file as it lies on the disk and tells the client; an answer that is outdated is dropped."""
        file = to_fs_path(uri)
        if file is None or not self.state.settings.trusted or not file.endswith(".py") or not os.path.isfile(file):
            return  # a new file lies on the disk when it is first saved
        known = self.state.files.setdefault(uri, OpenFile())
        known.asked += 1
        asked = known.asked
        lines = lines_of(file)
        if not _is_python(lines):
            return  # what was known of the text before stays; its lines are found again
        known.folder = self.folder(file)
        process = self.state.processes.setdefault(known.folder, WarmProcess(known.folder, Printed()))
        answer = await process.check(file, self.state.settings.timeout, lambda: self._wants(uri, asked))
        if answer is not None:
            before = known.checked
            known.checked = Checked.of(file, lines, tuple(answer.reports.values()), answer.failures)
            self.tell(known.checked.told_of() | (before.told_of() if before is not None else set()))

    def drop(self, uri: str, known: OpenFile | None) -> None:
        """Ends the check of a file that nobody has open any more."""
        process = None if known is None else self.state.processes.get(known.folder)
        if process is not None:
            process.drop(to_fs_path(uri) or "")

    def draws_hints(self) -> bool:
        """Whether the client draws inlay hints, as one says that can; where it cannot, code lenses have the shapes."""
        document = self.client_capabilities.text_document
        return document is not None and document.inlay_hint is not None

    def _wants(self, uri: str, asked: int) -> bool:
        """Whether the file is still open, and was not asked for again since."""
        known = self.state.files.get(uri)
        return known is not None and known.asked == asked

    async def check_what_imports(self, files: frozenset[str]) -> None:
        """Checks the other open files that import some files, or whose last check tells of them."""
        known = {uri: os.path.realpath(to_fs_path(uri) or "") for uri in self.state.files}
        others = {uri: file for uri, file in known.items() if file not in files}
        importing = {*importers(files, ((file, self.folder(file)) for file in others.values()))}
        telling = (uri for uri in others if others[uri] in importing or self.state.files[uri].tells_of(files))
        await asyncio.gather(*map(self.check, telling))

    async def check_after(self, changes: Iterable[types.FileEvent]) -> None:
        """Checks the open files that changes on the disk concern; those that the client has told as saves are known."""
        every = {os.path.realpath(to_fs_path(each.uri) or "") for each in changes}
        files = frozenset(file for file in every if not installed(file) and self.state.changed(file))
        configured = [os.path.dirname(file) for file in files if os.path.basename(file) == FILE]
        paths = {uri: Path(os.path.realpath(to_fs_path(uri) or "")) for uri in self.state.files}
        own = [uri for uri, path in paths.items() if str(path) in files or any(map(path.is_relative_to, configured))]
        await asyncio.gather(*map(self.check, own), self.check_what_imports(files))

    def take_settings(self, given: Any) -> None:
        """Takes over settings; what is wrong with them is told once."""
        for complaint in self.state.settings.take(given):
            if complaint not in self.state.complaints:
                self.state.complaints[complaint] = None
                told = types.ShowMessageParams(types.MessageType.Warning, f"shapelint: {complaint}")
                self.window_show_message(told)

    def folder(self, file: str) -> str:
        """The folder of the workspace in which a file lies; its own where there is none."""
        found = [to_fs_path(uri) or "" for uri in self.workspace.folders]
        around = [each for each in found if each and Path(file).is_relative_to(each)]
        return max(around, key=len, default=os.path.dirname(file))

    def tell(self, files: set[str]) -> None:
        """Publishes what is known of files, whichever check tells of them."""
        uris = {os.path.realpath(to_fs_path(uri) or ""): uri for uri in self.state.files}
        for file in sorted(files):
            uri = uris.get(file) or from_fs_path(file)
            if uri is None:
                continue
            found = []
            checks = [known.checked for known in self.state.files.values() if known.checked is not None]
            for checked in sorted(checks, key=lambda each: each.file != file):  # the file's own check first
                moved = self._moved(checked, file, uri)
                if moved is not None:
                    found += diagnostics(checked, file, moved, self.state.settings.rulePage)
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, said_once(found)))
        workspace = self.client_capabilities.workspace
        if workspace is not None and workspace.inlay_hint and workspace.inlay_hint.refresh_support:
            self.workspace_inlay_hint_refresh(None)
        if workspace is not None and workspace.code_lens and workspace.code_lens.refresh_support:
            self.workspace_code_lens_refresh(None)

    def _moved(self, checked: Checked, file: str, uri: str) -> Moved | None:
        """Where the lines of a file that were checked are now; None where the check read none of it."""
        lines = checked.lines.get(file)
        if lines is None:
            return None
        document = self.workspace.get_text_document(uri)
        now = document.source if uri in self.workspace.text_documents else "\n".join(lines_of(file))
        return Moved.between(lines, now, document.position_codec)

    def known(self, uri: str) -> tuple[Checked, Moved] | None:
        """The last check of a file, and where its lines are now."""
        known = self.state.files.get(uri)
        if known is None or known.checked is None:
            return None
        moved = self._moved(known.checked, known.checked.file, uri)
        return None if moved is None else (known.checked, moved)


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
        made.take_settings(given.initialization_options)

    @made.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(given: types.DidOpenTextDocumentParams) -> None:
        made.state.changed(os.path.realpath(to_fs_path(given.text_document.uri) or ""))
        await made.check(given.text_document.uri)

    @made.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def saved(given: types.DidSaveTextDocumentParams) -> None:
        uri = given.text_document.uri
        file = os.path.realpath(to_fs_path(uri) or "")
        made.state.changed(file)
        await asyncio.gather(made.check(uri), made.check_what_imports(frozenset({file})))

    @made.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(given: types.DidCloseTextDocumentParams) -> None:
        known = made.state.files.pop(given.text_document.uri, None)
        made.drop(given.text_document.uri, known)
        if known is not None and known.checked is not None:
            made.tell(known.checked.told_of())

    @made.feature(types.SHUTDOWN)
    def ended(given: Any) -> None:
        for process in made.state.processes.values():
            process.stop()

    _heeding(made)
    _answering(made)
    return made


def _heeding(made: Server) -> None:
    """Adds what a change of the settings, of files, or of the folders of the workspace means for what is shown."""

    @made.feature(types.INITIALIZED)
    async def ready(given: types.InitializedParams) -> None:
        workspace = made.client_capabilities.workspace
        watched = None if workspace is None else workspace.did_change_watched_files
        if watched is not None and watched.dynamic_registration:
            asked = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher(each) for each in _WATCHED])
            method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
            registration = types.Registration("watched", method, asked)
            await made.client_register_capability_async(types.RegistrationParams([registration]))

    @made.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def changed(given: types.DidChangeWatchedFilesParams) -> None:
        await made.check_after(given.changes)

    @made.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def configure(given: types.DidChangeConfigurationParams) -> None:
        settings = given.settings
        trusted = made.state.settings.trusted
        made.take_settings(settings.get("shapelint", settings) if isinstance(settings, Mapping) else settings)
        made.tell({file for each in made.state.files.values() if each.checked for file in each.checked.told_of()})
        if made.state.settings.trusted and not trusted:
            await asyncio.gather(*map(made.check, list(made.workspace.text_documents)))

    @made.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def move(given: types.DidChangeWorkspaceFoldersParams) -> None:
        for folder in given.event.removed:
            process = made.state.processes.pop(to_fs_path(folder.uri) or "", None)
            if process is not None:
                process.stop()
        files = made.state.files.items()
        moved = [uri for uri, known in files if known.folder and known.folder != made.folder(to_fs_path(uri) or "")]
        await asyncio.gather(*map(made.check, moved))


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
        return [] if known is None else lenses(*known, shapes=made.state.settings.inlayHints and not made.draws_hints())

    kinds = [types.CodeActionKind.QuickFix, FIX_ALL]

    @made.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(kinds))
    def act(given: types.CodeActionParams) -> list[types.CodeAction]:
        known = made.known(given.text_document.uri)
        found = [] if known is None else actions(*known, given.text_document.uri, given.range)
        only = given.context.only
        return found if only is None else [each for each in found if _asked_for(each.kind, only)]


def _asked_for(kind: str | None, only: Sequence[str]) -> bool:
    """Whether an action is of one of the kinds, or of a part of it: `source` asks for `source.fixAll.shapelint` too."""
    written = _written(kind or "")
    return any(not each or f"{written}.".startswith(f"{_written(each)}.") for each in only)


def _written(kind: str) -> str:
    """A kind as the protocol writes it: the text of an enum's member is its name in Python."""
    return kind.value if isinstance(kind, types.CodeActionKind) else kind


def serve() -> None:
    """Speaks the protocol on standard input and output until the client ends it."""
    logging.getLogger("pygls").setLevel(logging.ERROR)  # not that a request was cancelled after its answer
    server().start_io()
