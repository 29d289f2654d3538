"""WGAN-GP's MNIST generator with the crop to 7x7 left out: 4, 8, 12, 30.

Family: generator, --expect 28x28
"""
import torch
from torch import nn

INPUT = (2, 128)
TARGET = (28, 28)


class Net(nn.Module):
    def __init__(self, dim=2):
        super().__init__()
        self.dim = dim
        self.preprocess = nn.Sequential(nn.Linear(128, 4 * 4 * 4 * dim), nn.ReLU(True))
        self.block1 = nn.Sequential(nn.ConvTranspose2d(4 * dim, 2 * dim, 5), nn.ReLU(True))
        self.block2 = nn.Sequential(nn.ConvTranspose2d(2 * dim, dim, 5), nn.ReLU(True))
        self.deconv_out = nn.ConvTranspose2d(dim, 1, 8, stride=2)

    def crop(self, x):
        return x

    def forward(self, noise):
        x = self.preprocess(noise).view(-1, 4 * self.dim, 4, 4)
        x = self.crop(self.block1(x))
        return torch.sigmoid(self.deconv_out(self.block2(x)))


class Fixed(Net):
    def crop(self, x):
        return x[:, :, :7, :7]


EXPECT = {
    'verdict': 'mismatch-output', 'where': ['block1.0', 'block2.0', 'deconv_out'],
    'fix': 'crop the first block to 7x7', 'observed': (2, 1, 30, 30),
}
