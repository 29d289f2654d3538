"""Autoencoder of OrderedDicts at 45x45, output_padding 1 by habit: 48 comes back.

Family: autoencoder, output_padding=1 at an odd size
"""
from collections import OrderedDict

from torch import nn

INPUT = (1, 3, 45, 45)


class Net(nn.Module):
    op = 1

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(OrderedDict([
            ('conv1', nn.Conv2d(3, 4, 3, stride=2, padding=1)), ('relu1', nn.ReLU()),
            ('conv2', nn.Conv2d(4, 8, 3, stride=2, padding=1)), ('relu2', nn.ReLU())]))
        self.decoder = nn.Sequential(OrderedDict([
            ('deconv1', nn.ConvTranspose2d(8, 4, 3, stride=2, padding=1, output_padding=self.op)), ('relu1', nn.ReLU()),
            ('deconv2', nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1, output_padding=self.op))]))

    def forward(self, x):
        return self.decoder(self.encoder(x))


class Fixed(Net):
    op = 0


EXPECT = {
    'verdict': 'mismatch-output', 'where': ['decoder.deconv1', 'decoder.deconv2'],
    'fix': {'decoder.deconv1.output_padding': 0, 'decoder.deconv2.output_padding': 0}, 'observed': (1, 3, 48, 48),
}
