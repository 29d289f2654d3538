"""The founding pair (k3 s2 p1 and its mirror, no output_padding) at 33x17: odd sizes come back right.

Family: control, no output_padding needed
"""
from torch import nn

INPUT = (1, 3, 33, 17)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.deconv = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)

    def forward(self, x):
        return self.deconv(self.conv(x))


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 3, 33, 17)}
