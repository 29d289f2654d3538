"""What is proved is right, and what cannot be proved says so: sizes that Python would take as plain numbers."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import shapelint
from shapelint.errors import ModelError
from shapelint.facts.contract import Contract, How
from tests.oracle import run


def contract(forward: Any, spec: str = "1,3,H,W") -> Contract:
    class Net(nn.Module):
        def forward(self, x: torch.Tensor) -> Any:
            return forward(x)

    return shapelint.check(Net(), spec).contract


def halved(x: torch.Tensor) -> torch.Tensor:
    h = x.shape[2]
    return F.interpolate(x, size=(int(0.5 * h), math.ceil(x.shape[3] / 2)))


def looped(x: torch.Tensor) -> torch.Tensor:
    for _ in range(x.shape[2] // 20):
        x = F.max_pool2d(x, 2)
    return x


def counted(x: torch.Tensor) -> torch.Tensor:
    return F.max_pool2d(x, 2 * len({64, x.shape[2]}))


def indexed(x: torch.Tensor) -> torch.Tensor:
    return x[..., : [3, 4, 5, 6][min(x.shape[-1] // 64, 3)]]


def guarded(x: torch.Tensor) -> torch.Tensor:
    h, w = x.shape[-2:]
    if h % 32 or w % 32:
        raise ValueError(f"size {h}x{w} is not divisible by 32")
    return x


def caught(x: torch.Tensor) -> torch.Tensor:
    y = F.interpolate(F.max_pool2d(x, 2), scale_factor=2)
    try:
        return x + y
    except RuntimeError:
        return x + F.interpolate(y, size=x.shape[2:])


def test_a_float_literal_and_int_keep_the_size() -> None:
    found = contract(halved)
    assert found.proved
    assert found.outcome(H=37, W=37).outputs == ((1, 3, 18, 19),)
    assert found.outcome(H=1, W=37).ok is False


def test_each_item_of_a_list_that_a_size_counts_is_a_way_of_its_own() -> None:
    found = contract(indexed)
    assert found.proved
    assert [found.outcome(H=9, W=width).outputs[0][3] for width in (2, 63, 64, 191, 192, 999)] == [2, 3, 4, 5, 6, 6]


@pytest.mark.parametrize("forward", [looped, counted])
def test_a_size_used_as_a_plain_number_takes_the_proof_away(forward: Any) -> None:
    found = contract(forward)
    assert not found.proved
    for size in (7, 20, 64, 65, 200):
        outcome = found.outcome(H=size, W=size)
        try:
            wanted: tuple[int, ...] | None = tuple(forward(torch.zeros(1, 3, size, size)).shape)
        except RuntimeError:
            wanted = None
        assert outcome.how is not How.PROVED or outcome.outputs == (() if wanted is None else (wanted,))


def test_the_models_own_guard_is_a_proved_region() -> None:
    found = contract(guarded)
    assert found.proved
    assert str(found.runs) == "H and W multiples of 32"
    assert "not divisible by 32" in found.outcome(H=33, W=32).error


def test_a_caught_error_is_a_path_of_its_own() -> None:
    found = contract(caught)
    assert found.proved
    assert str(found.runs) == "H and W at least 2"
    assert found.outcome(H=9, W=12).outputs == ((1, 3, 9, 12),)


def of_the_data(x: torch.Tensor) -> torch.Tensor:
    return x if x.sum() < 0.5 else x[..., 1:]


def test_a_value_of_the_data_leaves_the_rest_unknown() -> None:
    found = contract(of_the_data)
    assert {region.how for region in found.regions} == {How.UNKNOWN}
    assert found.outcome(H=8, W=8).ok is None


def test_a_given_module_and_torchs_state_are_left_as_they_were() -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)
            self.register_buffer("seen", torch.zeros(1))
            self.calls = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            self.seen = self.get_buffer("seen") + 1
            torch.manual_seed(self.calls)
            return self.conv(x)  # type: ignore[no-any-return]

    net = Counting().train()
    weight, seen, state = net.conv.weight, net.get_buffer("seen"), torch.get_rng_state()
    code = Counting.forward.__code__
    shapelint.check(net, "1,3,H,W", confirm=("cpu",))
    assert net.training
    assert net.conv.training
    assert net.calls == 0
    assert net.conv.weight is weight
    assert net.get_buffer("seen") is seen
    assert torch.equal(torch.get_rng_state(), state)
    assert Counting.forward.__code__ is code
    assert not net._forward_hooks
    assert torch.is_grad_enabled()


class Instances(dict[str, Any]):
    """A table of the user's that builds what it is asked for."""

    def __getitem__(self, key: str) -> Any:
        return super().__getitem__(key)()


TABLE = Instances(relu=nn.ReLU)


def test_a_table_of_the_users_keeps_what_it_holds() -> None:
    class Net(nn.Module):
        def forward(self, x: torch.Tensor) -> Any:
            return TABLE["relu"](x)

    assert shapelint.check(Net, "1,3,H,W").contract.runs
    assert dict.__getitem__(TABLE, "relu") is nn.ReLU


GRIDS: dict[str, torch.Tensor] = {}


class Gridded(nn.Module):
    """Keeps in a global what it made for each size."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        key = str(x.shape)
        if key not in GRIDS:
            GRIDS[key] = torch.linspace(-1, 1, x.shape[3])
        return x * GRIDS[key]


def test_neither_a_check_nor_a_later_question_leaves_anything_in_the_users_tables() -> None:
    report = shapelint.check(Gridded, "1,3,H,W")
    assert report.contract.outcome(H=20, W=24).outputs == ((1, 3, 20, 24),)
    assert GRIDS == {}
    assert Gridded()(torch.rand(1, 3, 20, 24)).shape == (1, 3, 20, 24)


def halved_sizes(x: torch.Tensor) -> torch.Tensor:
    return F.max_pool2d(x, 4).new_zeros(1, x.shape[2] / 2)  # type: ignore[arg-type]


def legacy_halved_sizes(x: torch.Tensor) -> torch.Tensor:
    return x + torch.FloatTensor(1, 3, x.shape[2] / 2, x.shape[3])  # type: ignore[arg-type]


@pytest.mark.parametrize("forward", [halved_sizes, legacy_halved_sizes])
def test_a_type_that_raises_raises_at_every_size(forward: Any) -> None:
    with pytest.raises(ModelError, match=r"does not run: TypeError: .*but got float"):
        contract(forward)


def test_an_index_tensor_that_was_written_to_through_a_view_proves_nothing() -> None:
    class Net(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            index = torch.arange(x.shape[2])
            index.view(-1)[:1].add_(5)
            return x[:, :, index]

    assert not shapelint.check(Net, "1,3,H,W").contract.proved


@pytest.mark.parametrize("proved", [True, False])
def test_the_nearest_of_a_codebook_is_one_of_it_whatever_was_written_before(proved: bool) -> None:
    class Quantized(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.codes = nn.Parameter(torch.ones(16, 4))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = F.relu_(x + 1).permute(0, 2, 3, 1)
            nearest = torch.cdist(x.reshape(-1, 4), self.codes).min(1)[1]
            if not proved:
                nearest.view(-1)[:1].add_(5)
            return torch.index_select(self.codes, 0, nearest).view(x.shape).permute(0, 3, 1, 2)

    assert shapelint.check(Quantized, "1,4,H,W").contract.proved is proved


def test_the_numbers_of_a_models_own_small_tensors_decide_as_in_eager() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("stride", torch.tensor(2))
            self.steps = torch.tensor([1008, 512])

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            place = torch.where(self.steps == 512)[0]
            x = x if place == len(self.steps) - 1 else x[:, :, 1:]
            order = torch.cat((torch.tensor([1, 0]), torch.arange(2, x.ndim)))
            whole = torch.ceil((x.shape[-1] + self.stride - 2) / self.stride).long() * self.stride
            return F.pad(x.permute(*order), (0, whole - x.shape[-1]))  # type: ignore[arg-type]

    report = shapelint.check(Net, "1,3,H,W")
    assert report.contract.proved
    assert report.contract.outcome(H=7, W=5).outputs == ((3, 1, 7, 6),)
    assert report.contract.outcome(H=7, W=6).outputs == ((3, 1, 7, 6),)


def test_an_assertion_about_values_decides_nothing() -> None:
    space: dict[str, Any] = {"nn": nn}
    exec(  # pytest rewrites the assertions of this file
        "class Net(nn.Module):\n"
        "    def forward(self, x):\n"
        "        assert (x == x).all(), 'no number'\n"
        "        return x[:, :, ::2]\n",
        space,
    )
    report = shapelint.check(space["Net"], "1,3,H,W")
    assert report.contract.proved
    assert report.contract.outcome(H=7, W=5).outputs == ((1, 3, 4, 5),)


_CUTS = (lambda x: x[..., ::2], lambda x: x[..., ::3], lambda x: x.amax(-1, True), lambda x: x.cumsum(-1))  # one line


class _Cut(nn.Module):
    """Which lambda of a line runs is told by more than its instructions: these differ in names and numbers alone."""

    def __init__(self, which: int) -> None:
        super().__init__()
        self.which = which

    def forward(self, x: torch.Tensor) -> Any:
        return _CUTS[self.which](x)


@pytest.mark.parametrize("which", range(len(_CUTS)))
def test_lambdas_of_one_line_are_told_apart(which: int) -> None:
    found = shapelint.check(_Cut(which), "1,1,L").contract
    assert found.proved
    for length in (1, 6, 17):
        assert found.outcome(L=length).outputs == run(_Cut(which), (1, 1, length))


class Nested(nn.Module):
    def forward(self, x: Any) -> Any:
        rows = torch.nested.nested_tensor([x[0], x[0, :1]], layout=torch.jagged)
        return (rows * 2).to_padded_tensor(0.0)


def test_a_nested_tensor_ends_the_proof_and_not_the_check() -> None:
    report = shapelint.check(Nested, "2,3,4")
    assert not report.contract.proved
    assert not [each for each in report.findings if each.severity == "error"]


def test_sizes_whose_bytes_torch_cannot_count_are_not_decided() -> None:
    class Shrinking(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            while x.shape[4] > 24:
                x = F.max_pool3d(x, 2)
            return x

    contract = shapelint.check(Shrinking(), "2,2,D,H,W").contract
    assert contract.outcome(D=8, H=8, W=100).outputs == ((2, 2, 1, 1, 12),)
    assert contract.outcome(D=1, H=8, W=100).ok is False
    assert contract.outcome(D=2**19, H=2**18, W=6553600).ok is None


def test_far_replays_are_no_evidence_where_torch_cannot_count_the_bytes() -> None:
    """The scores of the patches of a clip, three axes that are multiplied twice."""

    def forward(x: torch.Tensor) -> torch.Tensor:
        tokens = x.unfold(2, 2, 2).unfold(3, 4, 4).unfold(4, 4, 4).flatten(5).flatten(2, 4).mean(1)
        return (tokens @ tokens.mT).softmax(-1) @ tokens

    found = contract(forward, "N,3,T,H,W")
    assert found.proved
    assert found.outcome(N=1, T=4, H=9, W=8).outputs == ((1, 8, 32),)
