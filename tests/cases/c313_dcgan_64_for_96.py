"""The DCGAN tutorial's generator, images resized to 96: it gives 64.

Family: generator, --expect 96x96
"""
from torch import nn

INPUT = (2, 100, 1, 1)
TARGET = (96, 96)


class Net(nn.Module):
    first = 4

    def __init__(self, ngf=2):
        super().__init__()
        layers = [nn.ConvTranspose2d(100, ngf * 8, self.first, 1, 0, bias=False), nn.BatchNorm2d(ngf * 8), nn.ReLU(True)]
        for m in (4, 2, 1):
            layers += [nn.ConvTranspose2d(ngf * m * 2, ngf * m, 4, 2, 1, bias=False), nn.BatchNorm2d(ngf * m), nn.ReLU(True)]
        self.main = nn.Sequential(*layers, nn.ConvTranspose2d(ngf, 3, 4, 2, 1, bias=False), nn.Tanh())

    def forward(self, input):
        return self.main(input)


class Fixed(Net):
    first = 6


EXPECT = {
    'verdict': 'mismatch-output', 'where': ['main.0', 'main.3', 'main.6', 'main.9', 'main.12'],
    'fix': 'the first kernel 6', 'observed': (2, 3, 64, 64),
}
