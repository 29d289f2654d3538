"""EDSR-like network: residual blocks, then PixelShuffle(2) twice the size.

Family: control, larger output on purpose
"""
from torch import nn

INPUT = (1, 3, 25, 31)
TARGET = (50, 62)


class Net(nn.Module):
    def __init__(self, c=4):
        super().__init__()
        self.head = nn.Conv2d(3, c, 3, padding=1)
        self.body = nn.ModuleList([nn.Sequential(nn.Conv2d(c, c, 3, padding=1), nn.ReLU(), nn.Conv2d(c, c, 3, padding=1))
                                   for _ in range(2)])
        self.tail = nn.Sequential(nn.Conv2d(c, 4 * c, 3, padding=1), nn.PixelShuffle(2), nn.Conv2d(c, 3, 3, padding=1))

    def forward(self, x):
        x = self.head(x)
        res = x
        for block in self.body:
            res = res + block(res) * 0.1
        return self.tail(x + res)


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 3, 50, 62)}
