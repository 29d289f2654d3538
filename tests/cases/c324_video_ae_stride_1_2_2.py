"""Video autoencoder with stride (1, 2, 2) on frames of 60x90: 92 columns come back.

Family: 3-D, mixed axes
"""
from torch import nn

INPUT = (1, 1, 16, 60, 90)


class Net(nn.Module):
    first = (0, 1, 1)

    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Conv3d(1, 4, 3, stride=(1, 2, 2), padding=1), nn.ReLU(),
                                 nn.Conv3d(4, 8, 3, stride=(1, 2, 2), padding=1), nn.ReLU())
        self.dec = nn.Sequential(
            nn.ConvTranspose3d(8, 4, 3, stride=(1, 2, 2), padding=1, output_padding=self.first), nn.ReLU(),
            nn.ConvTranspose3d(4, 1, 3, stride=(1, 2, 2), padding=1, output_padding=(0, 1, 1)))

    def forward(self, clip):
        return self.dec(self.enc(clip))


class Fixed(Net):
    first = (0, 1, 0)


EXPECT = {
    'verdict': 'mismatch-output', 'where': ['dec.0'], 'fix': {'dec.0.output_padding': (0, 1, 0)},
    'observed': (1, 1, 16, 60, 92),
}
