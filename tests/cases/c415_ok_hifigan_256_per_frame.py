"""HiFi-GAN's generator: rates 8, 8, 2, 2 with kernels twice as long make 256 samples per frame.

Family: control, vocoder
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 8, 17)
TARGET = (4352,)


class Net(nn.Module):
    def __init__(self, c=8, rates=(8, 8, 2, 2), kernels=(16, 16, 4, 4)):
        super().__init__()
        self.conv_pre = nn.Conv1d(8, c, 7, 1, padding=3)
        self.ups = nn.ModuleList([nn.ConvTranspose1d(c, c, k, u, padding=(k - u) // 2) for u, k in zip(rates, kernels)])
        self.resblocks = nn.ModuleList([nn.Conv1d(c, c, 3, dilation=d, padding=(3 * d - d) // 2) for d in (1, 3)])
        self.conv_post = nn.Conv1d(c, 1, 7, 1, padding=3)

    def forward(self, x):
        x = self.conv_pre(x)
        for up in self.ups:
            x = up(F.leaky_relu(x, 0.1))
            x = sum(block(x) for block in self.resblocks) / len(self.resblocks)
        return torch.tanh(self.conv_post(F.leaky_relu(x)))


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 1, 4352)}
