"""U-Net of strided convolutions, every up block k3 s2 p1 with output_padding 1: 26 meets 25 at 100x100.

Family: U-Net skip, output_padding=1 everywhere
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 3, 100, 100)


class Net(nn.Module):
    op = (1, 1, 1)

    def __init__(self, c=4):
        super().__init__()
        self.inc = nn.Conv2d(3, c, 3, padding=1)
        self.downs = nn.ModuleList([nn.Conv2d(c, c, 3, stride=2, padding=1) for _ in range(3)])
        self.ups = nn.ModuleList([nn.ConvTranspose2d(c, c, 3, stride=2, padding=1, output_padding=op) for op in self.op])
        self.fuse = nn.ModuleList([nn.Conv2d(2 * c, c, 3, padding=1) for _ in range(3)])

    def forward(self, x):
        skips, x = [], self.inc(x)
        for down in self.downs:
            skips.append(x)
            x = F.relu(down(x))
        for up, fuse in zip(self.ups, self.fuse):
            x = fuse(torch.cat([up(x), skips.pop()], 1))
        return x


class Fixed(Net):
    op = (0, 1, 1)


EXPECT = {
    'verdict': 'mismatch-skip', 'where': ['ups.0', 'downs.2'], 'fix': {'ups.0.output_padding': 0},
    'observed': 'Expected size 26 but got size 25',
}
