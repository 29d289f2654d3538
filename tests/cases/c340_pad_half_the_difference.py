"""Up block that pads diff // 2 on both sides: right for even differences, nothing is added at 33.

Family: U-Net skip, hand-made pad
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 3, 33, 33)


class Up(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.up = nn.ConvTranspose2d(c, c, 2, stride=2)
        self.conv = nn.Conv2d(2 * c, c, 3, padding=1)

    def pads(self, dy, dx):
        return dx // 2, dx // 2, dy // 2, dy // 2

    def forward(self, x1, x2):
        x1 = self.up(x1)
        dy, dx = x2.size(2) - x1.size(2), x2.size(3) - x1.size(3)
        return self.conv(torch.cat([x2, F.pad(x1, self.pads(dy, dx))], dim=1))


class RightUp(Up):
    def pads(self, dy, dx):
        return dx // 2, dx - dx // 2, dy // 2, dy - dy // 2


class Net(nn.Module):
    up_block = Up

    def __init__(self, c=4):
        super().__init__()
        self.inc = nn.Conv2d(3, c, 3, padding=1)
        self.down = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(c, c, 3, padding=1))
        self.up1 = self.up_block(c)
        self.outc = nn.Conv2d(c, 2, 1)

    def forward(self, x):
        x1 = self.inc(x)
        return self.outc(self.up1(self.down(x1), x1))


class Fixed(Net):
    up_block = RightUp


EXPECT = {
    'verdict': 'mismatch-skip', 'where': ['up1.up', 'up1', 'down.0'], 'fix': 'pad diff - diff // 2 on the other side',
    'observed': 'Expected size 33 but got size 32',
}
