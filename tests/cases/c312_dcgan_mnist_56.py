"""DCGAN generator for MNIST with one doubling too many: 7, 14, 28, 56.

Family: generator, --expect 28x28
"""
from torch import nn

INPUT = (2, 100, 1, 1)
TARGET = (28, 28)


class Net(nn.Module):
    last = (4, 2, 1)

    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(100, 16, 7, 1, 0, bias=False), nn.BatchNorm2d(16), nn.ReLU(True),
            nn.ConvTranspose2d(16, 8, 4, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(True),
            nn.ConvTranspose2d(8, 4, 4, 2, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU(True),
            nn.ConvTranspose2d(4, 1, *self.last, bias=False), nn.Tanh())

    def forward(self, z):
        return self.main(z)


class Fixed(Net):
    last = (3, 1, 1)


EXPECT = {
    'verdict': 'mismatch-output', 'where': ['main.0', 'main.3', 'main.6', 'main.9'],
    'fix': 'the last layer with kernel 3, stride 1, padding 1', 'observed': (2, 1, 56, 56),
}
