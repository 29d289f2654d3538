"""What a change of a model did to its sizes, told from two contracts, one of which may come from a file."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import shapelint
from shapelint.errors import SpecError
from shapelint.facts.contract import Contract


def autoencoder(output_padding: int, kernel: int = 3) -> nn.Module:
    up = nn.ConvTranspose2d(2, 1, 3, stride=2, padding=1, output_padding=output_padding)
    return nn.Sequential(nn.Conv2d(1, 2, kernel, stride=2, padding=1), up)


def contract(net: nn.Module) -> Contract:
    return shapelint.check(net, "1,1,H,W").contract


class Skip(nn.Module):
    """A U-Net of one level."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, nn.functional.interpolate(nn.functional.max_pool2d(x, 2), scale_factor=2)], 1)


def test_a_contract_survives_a_file() -> None:
    before = contract(autoencoder(0, kernel=7))
    after = Contract.from_json(before.to_json())
    found = after.difference(before)
    assert not found.lost
    assert not found.gained
    assert after.restores == before.restores
    assert str(after.runs) == "H and W at least 5"
    assert after.outcome(H=6, W=7).outputs == before.outcome(H=6, W=7).outputs
    assert after.outcome(H=3, W=7).error == before.outcome(H=3, W=7).error
    for text in ("", "{}", '{"version": 9}', "[1]", before.to_json().replace("{ [H, W]", "{ [H, W")):
        with pytest.raises(SpecError, match="contract"):
            Contract.from_json(text)


def test_what_is_lost_and_gained_is_told() -> None:
    found = contract(autoencoder(1)).difference(contract(autoencoder(0)))
    assert (str(found.no_longer_restore), str(found.now_restore)) == ("H and W odd", "H and W even")
    assert str(found.resized) == "every size"
    assert not found.no_longer_run
    assert found.lost
    assert found.gained


def test_sizes_that_raise_now_come_with_the_call_that_does() -> None:
    found = contract(Skip()).difference(Contract.from_json(contract(nn.Conv2d(1, 2, 1)).to_json()))
    assert str(found.no_longer_run) == "every size but H and W even"
    assert {each.place.text().strip()[:16] for each in found.causes if each.place} == {"return torch.cat"}
    assert not found.resized  # two channels in both


def test_nothing_changes_without_a_change() -> None:
    same = contract(autoencoder(1)).difference(contract(autoencoder(1)))
    assert not same.lost
    assert not same.gained
    with pytest.raises(SpecError, match="other symbols: H, W and L"):
        contract(autoencoder(1)).difference(shapelint.check(nn.Conv1d(1, 1, 3), "1,1,L").contract)
