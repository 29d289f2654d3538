"""HiFi-GAN upsampler with rate 5 and kernel 10: padding (10 - 5) // 2 leaves one sample too many per stage.

Family: vocoder, --expect 120 samples per frame
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 8, 20)
TARGET = (2400,)


class Net(nn.Module):
    kernels = (10, 8, 7, 4)

    def __init__(self, rates=(5, 4, 3, 2), c=8):
        super().__init__()
        self.conv_pre = nn.Conv1d(8, c, 7, 1, padding=3)
        self.ups = nn.ModuleList([nn.ConvTranspose1d(c, c, k, u, padding=(k - u) // 2) for u, k in zip(rates, self.kernels)])
        self.conv_post = nn.Conv1d(c, 1, 7, 1, padding=3)

    def forward(self, mel):
        x = self.conv_pre(mel)
        for up in self.ups:
            x = up(F.leaky_relu(x, 0.1))
        return torch.tanh(self.conv_post(x))


class Fixed(Net):
    kernels = (11, 8, 7, 4)


EXPECT = {'verdict': 'mismatch-output', 'where': ['ups.0'], 'fix': 'kernel 11 at rate 5', 'observed': (1, 1, 2424)}
