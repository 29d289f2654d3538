"""Positions kept by size in a dict of the class, and a counter beside it: what a run on meta keeps there is no real one's.

Source: in the style of CoordConv and of positional encodings with a cache
Family: class attributes as caches, a named tuple as the output
"""
from typing import NamedTuple

import torch
from torch import nn

INPUT = (2, 3, 32, 32)


class Output(NamedTuple):
    features: torch.Tensor
    calls: int


class Net(nn.Module):
    calls = 0
    _cache = {}

    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 8, 3, padding=1)

    def grid(self, h, w, device):
        key = (h, w, str(device))
        if key not in Net._cache:
            ys, xs = torch.meshgrid(torch.linspace(-1, 1, h), torch.linspace(-1, 1, w), indexing="ij")
            Net._cache[key] = torch.stack([ys, xs])
        return Net._cache[key]

    def forward(self, x):
        Net.calls += 1
        g = self.grid(x.shape[2], x.shape[3], x.device)
        return Output(self.c(x) + g.mean(0), Net.calls)


EXPECT = {
    'verdict': 'ok',
    'where': [],
    'fix': None,
    'fix_kind': None, 'fix_origin': None,
    'observed': (2, 8, 32, 32),
}
