"""A model that hangs or prints without end, beside other files: it costs its own answer, and holds up nothing else."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest
from lsprotocol import types

from shapelint.editor.process import Printed
from tests.editor.client import ANNOTATED, Editor, in_editor


def running(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().split()[2] != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux")
def test_a_check_that_hangs_is_ended_alone(tmp_path: Path) -> None:
    async def act(editor: Editor) -> None:
        async def hanging(before: str = "") -> int:
            while not log.exists() or log.read_text() in ("", before):
                await asyncio.sleep(0.05)
            return int(log.read_text())

        await editor.opened()
        bad, log = tmp_path / "bad.py", tmp_path / "log"
        note = f"import os; open({str(log)!r}, 'w').write(str(os.getpid()))\n        while True: pass"
        bad.write_text(ANNOTATED.replace("return y", note))
        editor.open(bad)
        first = await hanging()
        editor.save(ANNOTATED + "# while the other hangs\n")
        assert await editor.codes(1) == {"net.py": ["SL101"]}
        saved = types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(bad.as_uri()))
        editor.client.text_document_did_save(saved)
        second = await hanging(str(first))
        assert not running(first)
        closed = types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(bad.as_uri()))
        editor.client.text_document_did_close(closed)
        begun = time.monotonic()
        editor.save(ANNOTATED + "# when it is closed\n")
        assert await editor.codes(1) == {"net.py": ["SL101"]}
        assert time.monotonic() - begun < 30  # the time limit is 60 s
        assert not running(second)

    in_editor(tmp_path, ANNOTATED, act)


def test_what_models_print_is_passed_on_in_part_and_never_waited_for() -> None:
    async def printing(length: int) -> None:
        stream = asyncio.StreamReader()
        stream.feed_data(b"x" * length)
        stream.feed_eof()
        printed.begin()
        await asyncio.wait_for(printed.hear(stream), 30)

    printed, (read, write), own = Printed(), os.pipe(), os.dup(2)
    try:
        os.dup2(write, 2)  # a pipe that takes 64 KiB, and that nobody reads
        for _ in range(20):
            asyncio.run(printing(1 << 20))
        first = len(os.read(read, 1 << 20))
    finally:
        os.dup2(own, 2)
        for each in (own, read, write):
            os.close(each)
    assert 16 << 10 <= first <= 64 << 10
