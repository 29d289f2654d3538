"""ESPCN built for factor 3 where twice the size is wanted: 150 for 100.

Family: super-resolution, --expect 2H
"""
import torch
from torch import nn

INPUT = (1, 1, 50, 50)
TARGET = (100, 100)


class Net(nn.Module):
    factor = 3

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 5, padding=2)
        self.conv2 = nn.Conv2d(8, 4, 3, padding=1)
        self.conv3 = nn.Conv2d(4, self.factor ** 2, 3, padding=1)
        self.shuffle = nn.PixelShuffle(self.factor)

    def forward(self, x):
        x = torch.tanh(self.conv2(torch.tanh(self.conv1(x))))
        return torch.sigmoid(self.shuffle(self.conv3(x)))


class Fixed(Net):
    factor = 2


EXPECT = {'verdict': 'mismatch-output', 'where': ['shuffle', 'conv3'], 'fix': 'factor 2', 'observed': (1, 1, 150, 150)}
