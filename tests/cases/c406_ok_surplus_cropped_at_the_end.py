"""output_padding 1 everywhere makes too much at 45x61; the last line crops it to the input.

Family: control, a later crop repairs the surplus
"""
from torch import nn

INPUT = (1, 1, 45, 61)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 4, 3, 2, 1), nn.ReLU(), nn.Conv2d(4, 8, 3, 2, 1), nn.ReLU())
        self.decoder = nn.Sequential(nn.ConvTranspose2d(8, 4, 3, 2, 1, 1), nn.ReLU(), nn.ConvTranspose2d(4, 1, 3, 2, 1, 1))

    def forward(self, x):
        y = self.decoder(self.encoder(x))
        return y[..., :x.shape[-2], :x.shape[-1]]


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 1, 45, 61)}
