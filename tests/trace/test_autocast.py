"""Types under `torch.autocast`: meta tensors are not cast by torch, so what the CPU would do is done for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import shapelint
from shapelint.errors import ModelError
from tests.oracle import run

_ROWS = {torch.bfloat16: 1, torch.float32: 2, torch.float64: 3, torch.complex64: 4}
_CALLS: dict[str, Callable[[Tensor], Tensor]] = {
    "conv1d": lambda x: F.conv1d(x, torch.ones(8, 8, 3)),
    "conv1d of doubles": lambda x: F.conv1d(x.double(), torch.ones(8, 8, 3, dtype=torch.float64)),
    "conv_transpose1d": lambda x: F.conv_transpose1d(x, torch.ones(8, 8, 3)),
    "linear": lambda x: F.linear(x.transpose(1, 2), torch.ones(8, 8)),
    "@": lambda x: x @ x.transpose(1, 2),
    "baddbmm": lambda x: torch.baddbmm(torch.zeros(1, 8, 8), x, x.transpose(1, 2)),
    "attention": lambda x: F.scaled_dot_product_attention(x[:, None], x[:, None], x[:, None]),
    "prelu": lambda x: F.prelu(x, torch.ones(1)),
    "softmax": lambda x: x.softmax(-1),
    "layer_norm": lambda x: F.layer_norm(x.transpose(1, 2), (8,)),
    "cat": lambda x: torch.cat([x, x.float()]),
    "mse_loss": lambda x: F.mse_loss(x, x),
    "cdist": lambda x: torch.cdist(x, x),
    "prod": lambda x: x.prod(-1),
    "constant pad": lambda x: F.pad(x, (1, 1)),
    "reflect pad": lambda x: F.pad(x, (1, 1), mode="reflect"),
    "interpolate": lambda x: F.interpolate(x, scale_factor=2),
    "gelu": F.gelu,
}


class Cast(nn.Module):
    """The first size of the output tells the type."""

    def __init__(self, call: Callable[[Tensor], Tensor], kind: torch.dtype) -> None:
        super().__init__()
        self.call, self.kind = call, kind

    def forward(self, x: Tensor) -> Tensor:
        x = x.to(self.kind)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y = self.call(x)
        return torch.zeros(_ROWS[y.dtype], x.shape[-1])


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", _CALLS)
def test_a_result_has_the_type_that_autocast_gives_it(name: str, kind: torch.dtype) -> None:
    contract = shapelint.check(Cast(_CALLS[name], kind), "1,8,L").contract
    assert contract.proved
    assert contract.outcome(L=9).outputs == run(Cast(_CALLS[name], kind), (1, 8, 9))


class Half(nn.Module):
    """The decoder stands in autocast, the head behind it: whether it works there depends on `.float()`."""

    def __init__(self, head: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.down, self.up, self.last = nn.Conv2d(3, 4, 3, 2, 1), nn.ConvTranspose2d(4, 3, 3, 2, 1), nn.Conv2d(3, 1, 1)
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(device_type=x.device.type, dtype=torch.bfloat16):
            y = self.up(self.down(x))
        return self.last(self.head(y))  # type: ignore[no-any-return]


def test_a_decoder_in_autocast_is_repaired() -> None:
    report = shapelint.check(Half(Tensor.float), (1, 3, 6, 6))
    assert report.contract.proved
    (finding,) = report.findings
    assert (finding.code, finding.message) == ("SL101", "`up` gives back 5x5 where `down` took 6x6")


def test_a_type_that_does_not_fit_behind_autocast_is_no_size() -> None:
    with pytest.raises(RuntimeError, match="should be the same"):
        run(Half(lambda y: y), (1, 3, 6, 6))
    with pytest.raises(ModelError, match="does not run: Input type, weight type and bias type should be the same"):
        shapelint.check(Half(lambda y: y), (1, 3, 6, 6))


@pytest.mark.parametrize(
    "call", [lambda x: torch.einsum("bcl,bdl->bcd", x, x), lambda x: torch.tensordot(x, x, ([2], [2]))]
)
def test_what_autocast_does_inside_of_a_function_is_not_proved(call: Callable[[Tensor], Tensor]) -> None:
    contract = shapelint.check(Cast(call, torch.float32), (1, 8, 9)).contract
    assert not contract.proved
    assert "the type that autocast gives the result of" in contract.regions[0].why
