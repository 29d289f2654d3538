"""What helps a person at the prompt: pages of rules, examples below each help text, near names, completion."""

from __future__ import annotations

import re
import shlex
import textwrap
from pathlib import Path
from typing import Any

import click
import pytest

from shapelint.cli.app import command, run
from shapelint.cli.help import EXAMPLES
from shapelint.registry import load_rules
from shapelint.report.rule_page import documentation, render
from shapelint.rule import Rule, Valid
from tests.report.test_report import Sample

RULES = load_rules()
ERROR = re.compile(r"## What PyTorch says\n\nIn the first example below:\n\n```text\n(.*?)\n```", re.DOTALL)
RAISING = [rule for rule in RULES if ERROR.search(documentation(rule))]


@pytest.mark.parametrize("name", ["", *command.commands])
def test_every_help_text_ends_with_an_example_that_can_be_typed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*([name] if name else []), "--help"]) == 0
    shown = capsys.readouterr().out
    lines = EXAMPLES[name or "shapelint"]
    assert shown.endswith("".join(f"  {line}\n" for line in lines))
    for line in lines:
        program, called, *words = shlex.split(line)
        assert (program, called) == ("shapelint", name or called)
        known = {option for each in command.commands[called].params for option in each.opts}
        assert {word for word in words if word.startswith("-")} <= known


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("chek",), "No such command 'chek'. Did you mean 'check'?"),
        (("net.py:Net", "--input", "1,3,6,6"), "'net.py:Net' is no command; write `shapelint check net.py:Net`"),
        (("nets/unet.py",), "'nets/unet.py' is no command; write `shapelint check nets/unet.py`"),
        (("check", "--formt", "json"), "No such option '--formt'. Did you mean '--format'?"),
        (
            ("check", "a:B", "--provider", "cudda"),
            "Invalid value for '--provider': 'cudda' is not one of 'cpu', 'cuda'. Did you mean 'cuda'?",
        ),
        (("sizes",), "Missing argument 'TARGET'; write `shapelint sizes mymodel.py:Net --input 1,3,H,W`"),
        (("explain", "skipsize"), "there is no rule `skipsize`; did you mean `skip-size`?"),
    ],
)
def test_an_error_names_what_was_meant(
    arguments: tuple[str, ...], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert capsys.readouterr().err == f"shapelint: {line}\n"


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("shapelint exp", ["explain"]),
        ("shapelint explain sl30", ["SL301", "SL302", "SL303", "SL304", "SL305"]),
        ("shapelint check --ignore SL101,SL106", ["SL101,SL106"]),
        ("shapelint check --format git", ["github", "gitlab"]),
        ("shapelint check my", ["my"]),
    ],
)
def test_the_shell_completes(
    words: str, offered: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_SHAPELINT_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    with pytest.raises(SystemExit):
        run([])
    assert [line.partition(",")[2] for line in capsys.readouterr().out.splitlines()] == offered


def test_colour_changes_no_character_of_a_page() -> None:
    for rule in RULES:
        coloured = render(rule, colour=True)
        assert click.unstyle(coloured) == render(rule)
    assert coloured.startswith("\x1b[1m# SL9")


def test_what_an_example_needs_stands_on_its_command_line() -> None:
    options: dict[str, Any] = {"train": True, "expect": "...,2*H,2*W", "init_kwargs": {"depth": 4}, "confirm": ("cpu",)}
    sizes = {"H": range(32, 65, 32), "W": [48, 64], "L": 7}
    sample = type("Options", (Sample,), {"valid": (Valid("pass", "1,3,H,W", {**options, "sizes": sizes}),)})()
    call = (
        "`shapelint check net.py:Net --input 1,3,H,W --train --expect '...,2*H,2*W' --kwargs '{\"depth\": 4}' "
        "--sizes H=32..64:32 --sizes W=48,64 --sizes L=7` with this `net.py`:"
    )
    assert call in render(sample).splitlines()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_page_has_its_parts_and_names_rules_that_exist(rule: Rule) -> None:
    page = render(rule)
    parts = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]
    wanted = ["What it does", "Why it is bad", "Fix", "Examples that it speaks about", "Examples on which it is silent"]
    assert [part for part in parts if part in wanted] == wanted
    known = {each.code for each in RULES}
    assert set(re.findall(r"\bSL\d{3}\b", page)) <= known
    if rule.code < "SL5":
        assert parts[2] == "What PyTorch says"
        assert parts[-1] == "See also"


@pytest.mark.parametrize("rule", RAISING, ids=lambda rule: rule.code)
def test_pytorch_says_what_the_page_says(rule: Rule) -> None:
    torch = pytest.importorskip("torch")
    if not torch.__version__.startswith("2.13"):
        pytest.skip("the words are those of PyTorch 2.13")
    example, space = rule.invalid[0], dict[str, Any]()
    exec(textwrap.dedent(example.source), space)
    net = space["Net"]().train(example.options.get("train", False))
    shape, _, dtype = example.input.partition(":")
    given = torch.zeros([int(size) for size in shape.split(",")], dtype=getattr(torch, dtype or "float32"))
    with pytest.raises((IndexError, RuntimeError, ValueError)) as caught:
        net(given)
    found = ERROR.search(documentation(rule))
    assert found
    assert " ".join(found[1].split()) == f"{caught.type.__name__}: {' '.join(str(caught.value).split())}"


ABOVE = "or put `# shapelint: input=1,3,H,W` above its class"
NONE = "has no model that reading finds"
MODELS = """
from torch import nn


class Part(nn.Module): ...
class Base(nn.Module): ...
class Config: ...
class UNet(Base): ...
class Small(UNet): ...
"""


@pytest.mark.parametrize(
    ("target", "line"),
    [
        (
            "nets.py",
            f"'nets.py' {NONE}; name one (nets.py:Small, nets.py:UNet, nets.py:Base and 1 more), {ABOVE}",
        ),
        ("nets.py:Unet", "target 'nets.py:Unet': there is no 'Unet' in it, did you mean 'UNet'?"),
        ("nets:Smal", "target 'nets:Smal': there is no 'Smal' in it, did you mean 'Small'?"),
        ("nets.py:Other", "target 'nets.py:Other': 'nets.py' has no 'Other'; its models are Part, Base, UNet, Small"),
        (
            "empty.py",
            f"'empty.py' {NONE}; name one (empty.py:Net), {ABOVE}",
        ),
    ],
)
def test_an_error_names_the_models_of_the_file(
    target: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("nets.py").write_text(MODELS)
    Path("empty.py").write_text("# a class Unet and Smal, if you like\n")
    assert run(["check", target]) == 2
    assert capsys.readouterr().err == f"shapelint: {line}\n"
