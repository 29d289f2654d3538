"""Complex tensors against eager PyTorch."""

from __future__ import annotations

import random

import pytest
import torch
from torch import nn

import shapelint
from tests.calls import check, points
from tests.operations import agree, grid


@pytest.mark.parametrize("text", [
    "torch.complex(x, x)",
    "torch.complex(x, x[:, :1]).abs().view(2, -1)",
    "torch.complex(x, x.mT)",
    "torch.complex(x, x.double())",
    "torch.polar(x, x).angle()",
    "torch.polar(x.half(), x.half())",
    "torch.view_as_real(torch.complex(x, x)).view(2, 4, -1)",
    "torch.view_as_real(torch.complex(x, x).conj())",
    "torch.view_as_real(torch.complex(x, x).conj().resolve_conj())",
    "torch.view_as_real(x)",
    "torch.view_as_complex(x)",
    "torch.view_as_complex(x.permute(0, 2, 3, 1).contiguous()[..., :2])",
    "torch.view_as_complex(x.reshape(2, 2, 2, *x.shape[2:]).permute(0, 1, 3, 4, 2))",
    "torch.view_as_complex(x.reshape(2, 2, 2, *x.shape[2:]).permute(0, 1, 3, 4, 2).contiguous())",
    "torch.view_as_complex(x[..., :2])",
    "torch.view_as_complex(x.long())",
    "torch.complex(x, x).real",
    "torch.complex(x, x).imag.view(2, -1)",
    "torch.complex(x, x)[:, :, ::2].real.reshape(2, -1)",
    "x.real + x",
    "x.imag",
    "torch.imag(x)",
    "x.cfloat().abs() + x",
    "torch.fft.fft(x).conj() * torch.fft.fft(x)",
    "torch.stack((x, x), -1)[0].view_as(torch.view_as_real(torch.complex(x, x)[0]))",
    "torch.complex(x, x).mul(1j).permute(0, 2, 3, 1).real.contiguous().view(-1, 4)",
    "nn.functional.relu(torch.complex(x, x).abs()).square().sum((2, 3))",
])  # fmt: skip
def test_known_calls(text: str) -> None:
    claims = check(text, ["2,4,H,W"], points(random.Random(text), 16))
    assert all("strides" in reason for reason in claims.reasons), claims.reasons


@pytest.mark.parametrize("dtype", ["float16", "float64", "bfloat16", "int64", "complex64"])
def test_dtypes(dtype: str) -> None:
    for function in (torch.view_as_real, torch.view_as_complex, lambda x: torch.complex(x, x), lambda x: x.imag):
        agree(function, ["H,2"], grid(H=[1, 3]), [dtype])


class _Rotary(nn.Module):
    """Rotary position embeddings as in LLaMA, with the angles cut to the length of the input."""

    def __init__(self) -> None:
        super().__init__()
        steps = torch.arange(64).float()
        self.register_buffer("turns", torch.polar(torch.ones(64, 4), torch.outer(steps, torch.ones(4))))
        self.project = nn.Linear(16, 16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        heads = self.project(x).view(x.shape[0], x.shape[1], 2, 8).transpose(1, 2)
        pairs = torch.view_as_complex(heads.float().reshape(*heads.shape[:-1], -1, 2))
        turned = torch.view_as_real(pairs * self.get_buffer("turns")[: x.shape[1]]).flatten(3)
        return nn.functional.scaled_dot_product_attention(turned, turned, heads).transpose(1, 2).reshape(x.shape)


def test_rotary_positions_are_proved() -> None:
    contract = shapelint.check(_Rotary(), "B,T,16").contract
    assert contract.proved
    assert str(contract.runs) == "any B, T from 1 to 64"
