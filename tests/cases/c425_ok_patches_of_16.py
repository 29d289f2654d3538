"""Patch embedding of 16, tokens, a norm and a mix, and unpatching, at 48x64.

Family: control, flatten and view in between
"""
from torch import nn

INPUT = (2, 3, 48, 64)


class Net(nn.Module):
    def __init__(self, dim=8):
        super().__init__()
        self.embed = nn.Conv2d(3, dim, 16, stride=16)
        self.norm = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))
        self.unpatch = nn.ConvTranspose2d(dim, 3, 16, stride=16)

    def forward(self, x):
        x = self.embed(x)
        b, c, h, w = x.shape
        tokens = x.flatten(2).transpose(1, 2)
        tokens = tokens + self.mlp(self.norm(tokens))
        return self.unpatch(tokens.transpose(1, 2).reshape(b, c, h, w))


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (2, 3, 48, 64)}
