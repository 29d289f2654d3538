"""Autoencoder whose tied decoder calls F.conv_transpose2d with the encoder's weight: 32x32 comes back as 31x31.

Family: layers called as functions
"""
import torch.nn.functional as F
from torch import nn

INPUT = (1, 3, 32, 32)


class Net(nn.Module):
    op = 0

    def __init__(self, c=4):
        super().__init__()
        self.encode = nn.Conv2d(3, c, 3, stride=2, padding=1)

    def forward(self, x):
        h = F.relu(self.encode(x))
        return F.conv_transpose2d(h, self.encode.weight, stride=2, padding=1, output_padding=self.op)


class Fixed(Net):
    op = 1


EXPECT = {'verdict': 'mismatch-output', 'where': ['conv_transpose2d'], 'fix': 'output_padding=1 in the call', 'observed': (1, 3, 31, 31)}
