"""EnCodec-like codec that pads up to its strides and does not trim its output: 801 samples come back as 808.

Family: audio codec, extra padding by a float
"""
import math

import torch.nn.functional as F
from torch import nn

INPUT = (1, 1, 801)


def pad1d(x, paddings):
    length, longest = x.shape[-1], max(paddings)
    extra = 0
    if length <= longest:
        extra = longest - length + 1
        x = F.pad(x, (0, extra))
    padded = F.pad(x, paddings, 'reflect')
    return padded[..., :padded.shape[-1] - extra]


class SConv1d(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv, self.stride = nn.Conv1d(cin, cout, 2 * stride, stride), stride

    def forward(self, x):
        total = self.stride
        frames = (x.shape[-1] - 2 * self.stride + total) / self.stride + 1
        ideal = (math.ceil(frames) - 1) * self.stride + 2 * self.stride - total
        return self.conv(pad1d(x, (total, ideal - x.shape[-1])))


class SConvTranspose1d(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.convtr, self.stride = nn.ConvTranspose1d(cin, cout, 2 * stride, stride), stride

    def forward(self, x):
        y = self.convtr(x)
        return y[..., :y.shape[-1] - self.stride]


class Net(nn.Module):
    def __init__(self, c=2):
        super().__init__()
        self.encoder = nn.Sequential(SConv1d(1, c, 2), nn.ELU(), SConv1d(c, 2 * c, 4))
        self.decoder = nn.Sequential(nn.ELU(), SConvTranspose1d(2 * c, c, 4), nn.ELU(), SConvTranspose1d(c, 1, 2))

    def forward(self, wav):
        return self.decoder(self.encoder(wav))


class Fixed(Net):
    def forward(self, wav):
        return super().forward(wav)[..., :wav.shape[-1]]


EXPECT = {'verdict': 'mismatch-output', 'where': ['decoder.1.convtr'], 'fix': 'crop the output', 'observed': (1, 1, 808)}
