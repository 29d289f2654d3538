"""Stacked hourglass of depth 3 at 64x64, one module at every level.

Family: control, additive skip
"""
from torch import nn

INPUT = (1, 4, 64, 64)


class Net(nn.Module):
    def __init__(self, c=4, depth=3):
        super().__init__()
        self.depth = depth
        self.skip = nn.Conv2d(c, c, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.Upsample(scale_factor=2)

    def level(self, x, n):
        if n == 0:
            return self.skip(x)
        return self.skip(x) + self.up(self.level(self.pool(x), n - 1))

    def forward(self, x):
        return self.level(self.level(x, self.depth), self.depth)


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 4, 64, 64)}
