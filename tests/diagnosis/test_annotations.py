"""jaxtyping annotations as claims about all sizes: what is refuted, and what is said in their place."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

import shapelint
from shapelint.diagnosis.annotated_calls import BoundNames
from shapelint.evidence.annotations import Claim, dims_of
from shapelint.facts.finding import Finding
from shapelint.size.function import constant
from shapelint.source.span import Span

HEAD = """
import jaxtyping as jt
import torch.nn as nn
from jaxtyping import Float, Int
from torch import Tensor, cat
"""
NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, {conv})

    {more}
    def forward(self, x: {takes}) -> {gives}:
        return {body}
"""
WORDS = ["a", "b", "#a", "#b", "_", "...", "*m", "*_", "2", "#3", "a+1", "2*b", "a//2", "n=3", "_x", "b%2", "*a",
         "*#m", "#*m", "#n=3", "n=#3"]  # fmt: skip


def found(
    gives: str,
    *,
    takes: str = 'Float[Tensor, "b c h w"]',
    conv: str = "3, padding=1",
    more: str = "",
    body: str = "self.conv(x)",
    spec: str = "1,3,H,W",
) -> list[Finding]:
    """What SL601 says of a net with these annotations."""
    Path("net.py").write_text(HEAD + NET.format(takes=takes, gives=gives, conv=conv, more=more, body=body))
    return list(shapelint.check("net.py:Net", spec, select=["SL601"]).findings)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "gives",
    [
        'Float[Tensor, "b 8 h w"]',
        'jt.Float[Tensor, "*rest h w"]',
        'Float[Tensor, "... 2*h-h _"] | None',
        'tuple[Float[Tensor, "wrong"], Float[Tensor, "too"]]',  # no tuple comes
        'Float[Tensor, "b ?c h w"]',
        'Float[Tensor, "b {self.width} h w"]',
        'Float[Tensor, "b 8 h w"] | Float[Tensor, "b"]',
        'Other',
        'Float[Tensor, "b unbound+1 h w"]',
        "Other[Tensor, 'b']",
        "Tensor",
    ],
)
def test_what_holds_or_cannot_be_read_is_not_refuted(gives: str) -> None:
    body = "self.conv(x)"
    assert found(gives if "Other" not in gives else f'"{gives}"', body=body) == []


@pytest.mark.parametrize(
    ("gives", "conv", "message", "holds", "better"),
    [
        ('Float[Tensor, "b c h w"]', "3, padding=1", "returns `8`, annotated `c`", "no size", "b 8 h w"),
        ('Float[Tensor, "b 8 h//2 w//2"]', "3, stride=2, padding=1", "returns `(h+1)//2`, annotated `h//2`",
         "for: H and W even", "b 8 (h+1)//2 (w+1)//2"),
        ('Float[Tensor, "b 8 h w"]', "2", "returns `h-1`, annotated `h`", "no size", "b 8 h-1 w-1"),
        ('Float[Tensor, "*x 8 h h"]', "3, padding=1", "returns `w`, annotated `h`", "for: W = H", "*x 8 h w"),
        ('Float[Tensor, "b 8 h"]', "3, padding=1", "returns 4 axes, annotated `b 8 h`", "no size", ""),
    ],
)  # fmt: skip
def test_what_fails_is_refuted_with_what_would_hold(
    gives: str, conv: str, message: str, holds: str, better: str
) -> None:
    (finding,) = found(gives, conv=conv)
    assert finding.message == f"`forward` {message}"
    assert finding.notes[-1] == f"the annotation holds for {holds}".replace("for for", "for")
    assert (finding.severity == "error") == (holds == "no size")
    assert (finding.fix is None) == (not better)
    if finding.fix is not None:
        assert [edit.replacement for edit in finding.fix.edits] == [f'"{better}"']
        assert found(f'Float[Tensor, "{better}"]', conv=conv) == []


def test_the_annotations_of_the_input_are_kept_by_the_caller() -> None:
    gives = 'Float[Tensor, "b 8 n n"]'
    assert found(gives, takes='Float[Tensor, "b 3 n n"]') == []
    assert found(gives, takes='Float[Tensor, "b 4 h w"]') == []
    assert len(found(gives, takes='Float[Tensor, "b 3 _ _"]')) == 1


def test_methods_and_their_arguments_are_held_to_their_annotations() -> None:
    more = """def halved(self, y: Float[Tensor, "b 8 n n"]) -> tuple[Tensor, Float[Tensor, "b 4 n n"]]:
        return y, y[:, ::2]
"""
    argument, result = found("Tensor", more=more, body="self.halved(self.conv(x))[1]")
    assert argument.message == "`halved` takes as `y` `W`, annotated `n`"
    assert result.message == "`halved` returns `W`, annotated `n`"
    assert found("Tensor", more=more, body="self.halved(self.conv(x))[1]", spec="1,3,S,S") == []


def test_at_asked_sizes_only_what_fails_there_is_an_error() -> None:
    odd = {"conv": "3, stride=2, padding=1", "gives": 'Float[Tensor, "b 8 h//2 w//2"]'}
    assert [each.severity for each in found(**odd, spec="1,3,65,65")] == ["error"]
    assert [each.severity for each in found(**odd, spec="1,3,64,64")] == ["note"]


def test_the_claims_of_one_call_are_those_of_jaxtyping() -> None:
    jaxtyping = pytest.importorskip("jaxtyping")
    drawn, judged = random.Random(601), 0
    for _ in range(3000):
        texts = [" ".join(drawn.choices(WORDS, k=drawn.randint(0, 3))) for _ in range(2)]
        shapes = [tuple(drawn.choices((1, 2, 3, 4), k=drawn.randint(0, 3))) for _ in range(2)]
        try:
            with jaxtyping.jaxtyped("context"):
                wanted = all(
                    isinstance(torch.empty(shape), jaxtyping.Float[torch.Tensor, text])
                    for shape, text in zip(shapes, texts, strict=True)
                )
        except (ValueError, jaxtyping.AnnotationError):
            continue
        scope, said = BoundNames(), True
        for text, shape in zip(texts, shapes, strict=True):
            dims = dims_of(text) if said else ()
            assert dims is not None, text
            asks = scope.asks(Claim(dims, text, Span("", 1, 1, 1, 1)), tuple(map(constant, shape)))
            said = said and all(condition.holds({}) for _, condition in asks)
        assert said == wanted, (texts, shapes)
        judged += 1
    assert judged > 1000


CLAIMS = {
    "an alias": ("Wide", "self.conv(x)", "Wide"),
    "an alias of another file": ("kinds.Wide", "self.conv(x)", "kinds.Wide"),
    "an optional alias": ("Wide | None", "self.conv(x)", "Wide"),
    "quoted": ("'Float[Tensor, \"b 8 h w+1\"]'", "self.conv(x)", "'Float[Tensor, \"b 8 h w+1\"]'"),
    "a list": ("list[Wide]", "[self.conv(x), x]", "Wide"),
    "a dict": ("dict[str, Wide]", "{'out': self.conv(x)}", "Wide"),
    "a tuple of two": ("tuple[Tensor, Wide]", "(x, self.conv(x))", "Wide"),
    "a tuple of any length": ("Tuple[Wide, ...]", "(self.conv(x),)", "Wide"),
    "lists in a dict": ("typing.Mapping[str, List[Wide]]", "{'out': [self.conv(x)]}", "Wide"),
    "one of the other": ('Float[Row, "b 8"]', "self.conv(x)", '"b 8"'),
}
KINDS = """
from jaxtyping import Float
from torch import Tensor
Wide = Float[Tensor, "b 8 h w+1"]
"""


@pytest.mark.parametrize(("gives", "body", "marked"), CLAIMS.values(), ids=CLAIMS)
def test_names_and_containers_claim_what_is_in_them(gives: str, body: str, marked: str) -> None:
    Path("kinds.py").write_text(KINDS)
    more = 'other: Float[Tensor, "_"] | None = None\n'
    head = HEAD + "import typing\nimport kinds\nfrom typing import List, Tuple\nfrom kinds import Wide\n"
    head += 'Row = Float[Tensor, "h w+1"]\n'
    net = NET.format(takes='Float[Tensor, "b c h w"]', gives=gives, conv="3, padding=1", more=more, body=body)
    Path("net.py").write_text(head + net)
    (finding,) = shapelint.check("net.py:Net", "1,3,H,W", select=["SL601"]).findings
    assert finding.message == "`forward` returns `w`, annotated `w+1`"
    assert finding.location is not None
    assert finding.location.content() == marked
    assert finding.fix is None or marked == '"b 8"' or finding.fix.safety == "advice"


def test_an_item_of_a_list_binds_no_name_for_the_next() -> None:
    """A checker may look at one item alone: levels of a pyramid may have other sizes under one name."""
    body = "[self.conv(x), self.conv(x)[:, :, ::2, ::2]]"
    assert found('list[Float[Tensor, "b c2 h2 w2"]]', body=body) == []
    assert len(found('list[Float[Tensor, "b 8 h w"]]', body=body)) == 1


DRAWN_TAKES = ["b c h w", "b 3 h w", "*batch h w", "b _ s s", "... w", "b c *size"]
DRAWN_AXES = [["b", "_", "1", "#b"], ["8", "c", "#c", "_", "c+5"],
              ["h", "h//2", "(h+1)//2", "#h", "w", "s"], ["w", "w-1", "w//2", "(w+1)//2", "_", "5"]]  # fmt: skip
DRAWN_WHOLE = ["*batch h w", "*#batch h w", "... w", "b 8 *size", "b 8 *#size", "b h w", "#*batch 8 _ _"]
DRAWN_CONVS = ["3, padding=1", "3, stride=2, padding=1", "2, stride=2", "(1, 2)",
               "(3, 1), stride=(2, 1), padding=(1, 0)"]  # fmt: skip


@pytest.mark.parametrize("seed", range(24))
def test_drawn_models_are_refuted_where_jaxtyping_raises_in_eager_pytorch(seed: int) -> None:
    jaxtyping = pytest.importorskip("jaxtyping")
    drawn = random.Random(seed)
    takes, conv = drawn.choice(DRAWN_TAKES), drawn.choice(DRAWN_CONVS)
    gives = " ".join(map(drawn.choice, DRAWN_AXES)) if drawn.random() < 0.7 else drawn.choice(DRAWN_WHOLE)
    said = found(f'Float[Tensor, "{gives}"]', takes=f'Float[Tensor, "{takes}"]', conv=conv, spec="1,3,H,W")
    layer = eval(f"torch.nn.Conv2d(3, 8, {conv})")
    fails = []
    for size in [(h, w) for h in range(2, 9) for w in range(2, 9)]:
        try:
            with jaxtyping.jaxtyped("context"), torch.no_grad():
                x = torch.zeros(1, 3, *size)
                if isinstance(x, jaxtyping.Float[torch.Tensor, takes]):
                    fails.append(not isinstance(layer(x), jaxtyping.Float[torch.Tensor, gives]))
        except jaxtyping.AnnotationError:
            return  # a name that nothing has bound: jaxtyping raises whatever the sizes are
    assert bool(said) == any(fails), (takes, gives, conv)
