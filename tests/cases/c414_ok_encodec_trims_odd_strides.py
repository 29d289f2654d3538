"""EnCodec-like codec with strides 2, 5: extra padding to full frames, trimmed transposed convolutions.

Family: control, audio codec
"""
import math

import torch.nn.functional as F
from torch import nn

INPUT = (1, 1, 1000)


def extra_padding(x, kernel, stride, total):
    n_frames = (x.shape[-1] - kernel + total) / stride + 1
    ideal = (math.ceil(n_frames) - 1) * stride + (kernel - total)
    return ideal - x.shape[-1]


class SConv(nn.Module):
    def __init__(self, i, o, kernel, stride=1):
        super().__init__()
        self.conv = nn.Conv1d(i, o, kernel, stride)

    def forward(self, x):
        kernel, stride = self.conv.kernel_size[0], self.conv.stride[0]
        total = kernel - stride
        extra = extra_padding(x, kernel, stride, total)
        right = total // 2
        return self.conv(F.pad(x, (total - right, right + extra)))


class SConvTranspose(nn.Module):
    def __init__(self, i, o, kernel, stride):
        super().__init__()
        self.convtr = nn.ConvTranspose1d(i, o, kernel, stride)
        self.total = kernel - stride

    def forward(self, x):
        y = self.convtr(x)
        right = self.total // 2
        left = self.total - right
        return y[..., left:y.shape[-1] - right]


class Net(nn.Module):
    def __init__(self, c=4, ratios=(2, 5)):
        super().__init__()
        self.encoder = nn.Sequential(SConv(1, c, 7), *[SConv(c, c, 2 * r, r) for r in ratios], SConv(c, c, 3))
        self.decoder = nn.Sequential(SConv(c, c, 3), *[SConvTranspose(c, c, 2 * r, r) for r in reversed(ratios)], SConv(c, 1, 7))

    def forward(self, x):
        length = x.shape[-1]
        return self.decoder(self.encoder(x))[:, :, :length]


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 1, 1000)}
