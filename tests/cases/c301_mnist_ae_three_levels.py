"""MNIST autoencoder, three strided convs 28-14-7-4 and their literal mirrors: 4-7-13-25.

Family: autoencoder, ConvTranspose2d without output_padding
The first mirror happens to be right (7 is odd); the two others each lose a row.
"""
from torch import nn

INPUT = (4, 1, 28, 28)


class Net(nn.Module):
    op = (0, 0, 0)

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(True),
            nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.ReLU(True),
            nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(True))
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(32, 16, 3, stride=2, padding=1, output_padding=self.op[0]), nn.ReLU(True),
            nn.ConvTranspose2d(16, 8, 3, stride=2, padding=1, output_padding=self.op[1]), nn.ReLU(True),
            nn.ConvTranspose2d(8, 1, 3, stride=2, padding=1, output_padding=self.op[2]), nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.encoder(x))


class Fixed(Net):
    op = (0, 1, 1)


EXPECT = {
    'verdict': 'mismatch-output', 'where': ['decoder.2', 'decoder.4'],
    'fix': {'decoder.2.output_padding': 1, 'decoder.4.output_padding': 1}, 'observed': (4, 1, 25, 25),
}
