"""CIFAR-10 autoencoder whose last transposed convolution forgot output_padding: 31x31.

Family: autoencoder, ConvTranspose2d
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (2, 3, 32, 32)


class Net(nn.Module):
    last = 0

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.up1 = nn.ConvTranspose2d(16, 8, 3, stride=2, padding=1, output_padding=1)
        self.up2 = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1, output_padding=self.last)

    def forward(self, x):
        z = F.relu(self.conv2(F.relu(self.conv1(x))))
        return torch.sigmoid(self.up2(F.relu(self.up1(z))))


class Fixed(Net):
    last = 1


EXPECT = {'verdict': 'mismatch-output', 'where': ['up2'], 'fix': {'up2.output_padding': 1}, 'observed': (2, 3, 31, 31)}
