"""The language server, asked as an editor asks it: over its pipes, with models that behave and models that do not."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from lsprotocol import types

from tests.editor.client import ANNOTATED, NET, Editor, in_editor


def test_a_file_is_told_of_when_it_is_opened_and_when_it_is_saved(tmp_path: Path) -> None:
    async def act(editor: Editor) -> None:
        (found,) = await editor.opened()
        assert (found.code, found.severity) == ("SL101", types.DiagnosticSeverity.Error)
        assert found.message.startswith("`up` gives back 5x5 where `down` took 6x6\n")
        assert (found.range.start.line, found.range.start.character) == (9, 18)
        shape = "1,3,2*((H + 1)//2) - 1,2*((W + 1)//2) - 1"
        assert await editor.hints() == [(12, 39, shape)]  # the snake takes two units of UTF-16
        given = types.HoverParams(editor.document, types.Position(12, 20))
        hover = await editor.client.text_document_hover_async(given)
        assert hover is not None
        assert "| `down` Conv2d | `1,8,(H + 1)//2,(W + 1)//2` |" in str(hover.contents)
        lenses = await editor.client.text_document_code_lens_async(types.CodeLensParams(editor.document))
        assert [each.command and each.command.title for each in lenses or ()] == [
            "1,3,6,6: restores the size for: H and W odd"
        ]
        editor.change("# a new first line\n" + ANNOTATED)
        assert await editor.hints() == [(13, 39, shape)]
        editor.change(ANNOTATED.replace("self.up(self", "self.up(2 * self"))
        assert await editor.hints() == []
        actions = await editor.actions()
        fix = actions["Fix all that is safe (shapelint)"]
        assert fix.edit is not None
        assert fix.edit.changes is not None
        (edit,) = fix.edit.changes[editor.file.as_uri()]
        assert (edit.range.start.line, edit.new_text) == (9, ", output_padding=1")
        safe, ignored = (await editor.actions("quickfix")).values()  # the model has its input already
        assert safe.title.startswith("set `output_padding=1` in `up`")
        assert safe.is_preferred
        assert (ignored.title, ignored.is_preferred) == ("Ignore SL101 here", None)
        for kind in ("source", "source.fixAll", "source.fixAll.shapelint"):
            assert set(await editor.actions(kind)) == {"Fix all that is safe (shapelint)"}
        assert set(await editor.actions("refactor", "source.fix")) == set()
        editor.save(ANNOTATED.replace("padding=1)\n\n", "padding=1, output_padding=1)\n\n"))
        assert await editor.diagnostics() == []
        assert await editor.hints() == [(12, 39, "1,3,2*((H + 1)//2),2*((W + 1)//2)")]

    in_editor(tmp_path, ANNOTATED, act)


SEVERAL = NET.replace("y = self.up(self.down(x))", "y = self.down(x).relu(); z = self.up(y); z = z + 1")


def test_a_line_of_several_calls_has_the_shapes_of_the_first_two(tmp_path: Path) -> None:
    async def act(editor: Editor) -> None:
        await editor.opened()
        down, up = "1,8,(H + 1)//2,(W + 1)//2", "1,3,2*((H + 1)//2) - 1,2*((W + 1)//2) - 1"
        assert await editor.hints() == [(11, 64, f"{down}, then {up} (2 times)")]

    in_editor(tmp_path, SEVERAL, act)


def test_a_file_without_a_model_and_one_that_is_not_saved_yet_are_left_alone(tmp_path: Path) -> None:
    async def act(editor: Editor) -> None:
        new = types.TextDocumentItem((tmp_path / "new.py").as_uri(), "python", 1, NET)
        editor.client.text_document_did_open(types.DidOpenTextDocumentParams(new))
        assert await editor.opened() == []

    in_editor(tmp_path, "x = 1\n", act)


def test_an_assumed_input_and_an_ignore_comment_can_be_written(tmp_path: Path) -> None:
    async def act(editor: Editor) -> None:
        assert {each.code for each in await editor.opened()} >= {"SL105"}
        actions = await editor.actions()
        texts = {title: each.edit.changes for title, each in actions.items() if each.edit and each.edit.changes}
        (edit,) = texts["Write `# shapelint: input=1,3,H,W`"][editor.file.as_uri()]
        assert (edit.range.start.line, edit.new_text) == (4, "# shapelint: input=1,3,H,W\n")
        (edit,) = texts["Ignore SL105 here"][editor.file.as_uri()]
        assert edit.new_text.endswith("# shapelint: ignore[SL105]")

    in_editor(tmp_path, NET, act)


def test_what_a_model_does_to_its_process_costs_a_diagnostic(tmp_path: Path) -> None:
    async def act(editor: Editor) -> None:
        await editor.opened()
        hints = await editor.hints()
        editor.save(ANNOTATED + "        def (")  # no Python: nothing is told, what was known stays
        assert await editor.hints() == hints
        for body, said in (
            ("import os; os._exit(3)", "ended the process (exit code 3)"),
            ("while True: pass", "does not end; it was stopped after 2 s"),
            ("import os; os.kill(os.getpid(), 11)", "crashed with SIGSEGV"),
            ("raise SystemExit(4)", "SystemExit: 4"),
            ("y.ouch", "'Tensor' object has no attribute 'ouch'"),
        ):
            editor.save(ANNOTATED.replace("return y", body))
            (found,) = await editor.diagnostics()
            assert said in found.message
            assert found.message.startswith("net.py:Net")
            line, text = (5, "class Net(nn.Module):") if "_exit" in body else (13, f"        {body}")  # nothing is left
            at = types.Range(types.Position(line, len(text) - len(text.lstrip())), types.Position(line, len(text)))
            assert found.range == at
        editor.save(ANNOTATED.replace("return y", "print('{}', flush=True); return y"))
        assert [each.code for each in await editor.diagnostics()] == ["SL101"]

    in_editor(tmp_path, ANNOTATED, act, timeout=2)


def test_what_could_not_be_checked_stands_at_the_line_that_led_to_it(tmp_path: Path) -> None:
    async def act(editor: Editor) -> None:
        await editor.opened()
        for old, new, line in (
            ("nn.Module", "{}['sizes']", 5),
            ("nn.Conv2d", "nn.Conv2D", 8),
            ("__init__(self)", "__init__(self, width)", 5),
            ("input=", "inptu=", 4),
            ("forward(self, x)", "forward(self, x, y)", 5),
        ):
            editor.save(ANNOTATED.replace(old, new))
            (found,) = await editor.diagnostics()
            assert (found.code, found.range.start.line) == (None, line)

    in_editor(tmp_path, ANNOTATED, act)


def test_an_outdated_check_is_not_told(tmp_path: Path) -> None:
    async def act(editor: Editor) -> None:
        await editor.opened()
        editor.save(ANNOTATED.replace("return y", "import time; time.sleep(1); return y"))
        await asyncio.sleep(0.3)
        editor.save(ANNOTATED.replace("padding=1)\n\n", "padding=1, output_padding=1)\n\n"))
        assert await editor.diagnostics() == []
        assert editor.told.empty()

    in_editor(tmp_path, ANNOTATED, act)


def test_nothing_is_run_in_a_workspace_that_is_not_trusted(tmp_path: Path) -> None:
    async def act(editor: Editor) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(editor.opened(), 4)
        assert await editor.hints() == []
        assert not (tmp_path / "ran").exists()

    in_editor(tmp_path, ANNOTATED + f"open({str(tmp_path / 'ran')!r}, 'w').close()\n", act, trusted=False)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs the threads of /proc")
def test_a_process_that_becomes_warm_starts_no_thread_and_may_fork() -> None:
    count = "print(len(os.listdir('/proc/self/task')))"  # those of numpy's BLAS, which heeds forks, are there before
    code = f"import os; from shapelint.editor.warm_up import warm_up; {count}; warm_up(); {count}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, after = done.stdout.split()
    assert before == after
