"""Denoiser that starts with PixelUnshuffle(2), on 65 rows.

Family: size not divisible by the factor
"""
import torch.nn.functional as F
from torch import nn

INPUT = (1, 3, 65, 64)


class Net(nn.Module):
    def __init__(self, c=8):
        super().__init__()
        self.unshuffle = nn.PixelUnshuffle(2)
        self.body = nn.Sequential(nn.Conv2d(12, c, 3, padding=1), nn.ReLU(), nn.Conv2d(c, 12, 3, padding=1))
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, x):
        return self.shuffle(self.body(self.unshuffle(x)))


class Fixed(Net):
    def forward(self, x):
        h, w = x.size(2), x.size(3)
        x = F.pad(x, (0, w % 2, 0, h % 2), mode='replicate')
        return super().forward(x)[:, :, :h, :w]


EXPECT = {'verdict': 'raises', 'where': ['unshuffle'], 'fix': 'pad to even', 'observed': 'divisible by downscale_factor'}
