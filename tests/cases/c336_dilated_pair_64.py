"""A strided dilated convolution and its mirror (k3 s2 p2 d2): 64 comes back as 63.

Family: autoencoder, dilation
"""
import torch.nn.functional as F
from torch import nn

INPUT = (1, 1, 64, 64)


class Net(nn.Module):
    op = 0

    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(1, 4, 3, stride=2, padding=2, dilation=2)
        self.up = nn.ConvTranspose2d(4, 1, 3, stride=2, padding=2, dilation=2, output_padding=self.op)

    def forward(self, x):
        return self.up(F.relu(self.down(x)))


class Fixed(Net):
    op = 1


EXPECT = {'verdict': 'mismatch-output', 'where': ['up'], 'fix': {'up.output_padding': 1}, 'observed': (1, 1, 63, 63)}
