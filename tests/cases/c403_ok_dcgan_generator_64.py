"""The DCGAN tutorial's generator: transposed convolutions without any encoder.

Family: control, generator
"""
from torch import nn

INPUT = (2, 100, 1, 1)
TARGET = (64, 64)


class Net(nn.Module):
    def __init__(self, nz=100, ngf=2):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 8, 4, 1, 0, bias=False), nn.BatchNorm2d(ngf * 8), nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 8, ngf * 4, 4, 2, 1, bias=False), nn.BatchNorm2d(ngf * 4), nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 4, ngf * 2, 4, 2, 1, bias=False), nn.BatchNorm2d(ngf * 2), nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False), nn.BatchNorm2d(ngf), nn.ReLU(True),
            nn.ConvTranspose2d(ngf, 3, 4, 2, 1, bias=False), nn.Tanh())

    def forward(self, z):
        return self.main(z)


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (2, 3, 64, 64)}
