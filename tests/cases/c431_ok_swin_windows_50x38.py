"""Swin block that pads to windows of 7, shifts them, and works out the batch as int(n / (h * w / 7 / 7)).

Family: control, windows
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 3, 50, 38)


def window_partition(x, side):
    b, h, w, c = x.shape
    x = x.view(b, h // side, side, w // side, side, c)
    return x.permute(0, 1, 3, 2, 4, 5).contiguous().view(-1, side, side, c)


def window_reverse(windows, side, h, w):
    b = int(windows.shape[0] / (h * w / side / side))
    x = windows.view(b, h // side, w // side, side, side, -1)
    return x.permute(0, 1, 3, 2, 4, 5).contiguous().view(b, h, w, -1)


class Net(nn.Module):
    def __init__(self, dim=4, side=7):
        super().__init__()
        self.embed, self.qkv, self.side = nn.Conv2d(3, dim, 2, 2), nn.Linear(dim, 3 * dim), side
        self.up = nn.Sequential(nn.Conv2d(dim, 12, 1), nn.PixelShuffle(2))

    def forward(self, x):
        x = self.embed(x).permute(0, 2, 3, 1)
        _, h, w, c = x.shape
        x = F.pad(x, (0, 0, 0, (self.side - w % self.side) % self.side, 0, (self.side - h % self.side) % self.side))
        _, hp, wp, _ = x.shape
        windows = window_partition(torch.roll(x, (-3, -3), (1, 2)), self.side).view(-1, self.side ** 2, c)
        q, k, v = self.qkv(windows).chunk(3, -1)
        y = (q @ k.transpose(-2, -1)).softmax(-1) @ v
        y = torch.roll(window_reverse(y.view(-1, self.side, self.side, c), self.side, hp, wp), (3, 3), (1, 2))
        return self.up(y[:, :h, :w, :].permute(0, 3, 1, 2).contiguous())


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 3, 50, 38)}
