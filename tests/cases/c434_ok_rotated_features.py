"""Patches as tokens with rotary positions: every second feature is taken, which is no down-sampling.

Family: control, attention
"""
import torch
from torch import nn

INPUT = (1, 3, 40, 24)


class Net(nn.Module):
    def __init__(self, dim=8, patch=4):
        super().__init__()
        self.embed, self.qk, self.v = nn.Conv2d(3, dim, patch, patch), nn.Linear(dim, 2 * dim), nn.Linear(dim, dim)
        self.unembed = nn.ConvTranspose2d(dim, 3, patch, patch)

    def rotate(self, x):
        n, dim = x.shape[-2:]
        angle = torch.arange(n)[:, None] * 100.0 ** (-torch.arange(0, dim, 2) / dim)
        even, odd = x[..., ::2], x[..., 1::2]
        turned = torch.stack((even * angle.cos() - odd * angle.sin(), even * angle.sin() + odd * angle.cos()), dim=-1)
        return turned.flatten(-2)

    def forward(self, x):
        x = self.embed(x)
        b, c, h, w = x.shape
        tokens = x.flatten(2).transpose(1, 2)
        q, k = map(self.rotate, self.qk(tokens).chunk(2, -1))
        y = nn.functional.scaled_dot_product_attention(q, k, self.v(tokens))
        return self.unembed(y.transpose(1, 2).reshape(b, c, h, w))


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 3, 40, 24)}
