"""A valid U-Net whose crop begins at half of the difference and keeps all the rest: 276 where 272 rows are needed.

Source: in the style of threads on cropping the skip of the original U-Net
Family: U-Net, hand-made centre crop, th = h - dy in the place of the target's size
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 1, 140, 140)
TARGET = None


class Net(nn.Module):
    right = False

    def __init__(self):
        super().__init__()

        def c(i, o):
            return nn.Sequential(nn.Conv2d(i, o, 3), nn.ReLU(), nn.Conv2d(o, o, 3), nn.ReLU())

        self.c1, self.c2, self.c3 = c(1, 8), c(8, 16), c(16, 32)
        self.u2, self.u1 = nn.ConvTranspose2d(32, 16, 2, 2), nn.ConvTranspose2d(16, 8, 2, 2)
        self.d2, self.d1 = c(32, 16), c(16, 8)
        self.last = nn.Conv2d(8, 2, 1)

    def crop(self, t, y):
        _, _, h, w = t.size()
        dy, dx = (h - y.size(2)) // 2, (w - y.size(3)) // 2
        th, tw = (y.size(2), y.size(3)) if self.right else (h - dy, w - dx)
        return t[:, :, dy:dy + th, dx:dx + tw]

    def forward(self, x):
        s1 = self.c1(x)
        s2 = self.c2(F.max_pool2d(s1, 2))
        x = self.c3(F.max_pool2d(s2, 2))
        x = self.u2(x)
        x = self.d2(torch.cat([x, self.crop(s2, x)], 1))
        x = self.u1(x)
        x = self.d1(torch.cat([x, self.crop(s1, x)], 1))
        return self.last(x)


class Fixed(Net):
    right = True


EXPECT = {
    'verdict': 'raises',
    'where': ['the crop gives 60x60 where 56x56 is needed'],
    'fix': 't[:, :, dy:dy + y.size(2), dx:dx + y.size(3)]',
    'fix_kind': 'crop', 'fix_origin': 'obvious',
    'observed': 'Sizes of tensors must match except in dimension 1. Expected size 56 but got size 60',
}
