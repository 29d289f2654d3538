"""Demucs that pads to a valid length by float arithmetic and trims, at 10000 samples.

Family: control, math.ceil of a size
"""
import math

import torch.nn.functional as F
from torch import nn

INPUT = (1, 1, 10000)


class Net(nn.Module):
    depth, kernel_size, stride = 3, 8, 4

    def __init__(self, c=4):
        super().__init__()
        self.encoder, self.decoder = nn.ModuleList(), nn.ModuleList()
        for index in range(self.depth):
            self.encoder.append(nn.Conv1d(1 if index == 0 else c, c, self.kernel_size, self.stride))
            self.decoder.insert(0, nn.ConvTranspose1d(c, 1 if index == 0 else c, self.kernel_size, self.stride))

    def valid_length(self, length):
        for _ in range(self.depth):
            length = math.ceil((length - self.kernel_size) / self.stride) + 1
            length = max(length, 1)
        for _ in range(self.depth):
            length = (length - 1) * self.stride + self.kernel_size
        return int(length)

    def forward(self, mix):
        length = mix.shape[-1]
        x = F.pad(mix, (0, self.valid_length(length) - length))
        skips = []
        for encode in self.encoder:
            x = F.relu(encode(x))
            skips.append(x)
        for decode in self.decoder:
            skip = skips.pop(-1)
            x = x + skip[..., :x.shape[-1]]
            x = decode(x)
        return x[..., :length]


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 1, 10000)}
