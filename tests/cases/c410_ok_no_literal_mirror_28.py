"""Encoder 28-14-7-4 by k3; the decoder's last kernel is 4: 4, 7, 14, 28 without any mirror.

Family: control, a decoder that is no literal mirror
"""
from torch import nn

INPUT = (4, 1, 28, 28)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Conv2d(1, 4, 3, 2, 1), nn.ReLU(), nn.Conv2d(4, 8, 3, 2, 1), nn.ReLU(),
                                 nn.Conv2d(8, 8, 3, 2, 1), nn.ReLU())
        self.dec = nn.Sequential(nn.ConvTranspose2d(8, 8, 4, 1, 0), nn.ReLU(), nn.ConvTranspose2d(8, 4, 2, 2), nn.ReLU(),
                                 nn.ConvTranspose2d(4, 1, 4, 2, 1), nn.Sigmoid())

    def forward(self, x):
        return self.dec(self.enc(x))


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (4, 1, 28, 28)}
