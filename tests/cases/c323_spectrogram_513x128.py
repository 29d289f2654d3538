"""Spectrogram U-Net on 513 bins, up blocks with output_padding 1: 130 bins meet 129.

Family: U-Net skip, one axis odd
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 1, 513, 128)


class Net(nn.Module):
    op = 1

    def __init__(self, c=4):
        super().__init__()
        self.conv1 = nn.Conv2d(1, c, 5, stride=2, padding=2)
        self.conv2 = nn.Conv2d(c, c, 5, stride=2, padding=2)
        self.conv3 = nn.Conv2d(c, c, 5, stride=2, padding=2)
        self.deconv3 = nn.ConvTranspose2d(c, c, 5, stride=2, padding=2, output_padding=self.op)
        self.deconv2 = nn.ConvTranspose2d(2 * c, c, 5, stride=2, padding=2, output_padding=self.op)
        self.deconv1 = nn.ConvTranspose2d(2 * c, 1, 5, stride=2, padding=2, output_padding=self.op)

    def forward(self, mix):
        h1 = F.leaky_relu(self.conv1(mix), 0.2)
        h2 = F.leaky_relu(self.conv2(h1), 0.2)
        h3 = F.leaky_relu(self.conv3(h2), 0.2)
        x = F.relu(self.deconv3(h3))
        x = F.relu(self.deconv2(torch.cat([x, h2], 1)))
        return torch.sigmoid(self.deconv1(torch.cat([x, h1], 1))) * mix


class Fixed(Net):
    op = (0, 1)


EXPECT = {
    'verdict': 'mismatch-skip', 'where': ['deconv3'],
    'fix': {'deconv3.output_padding': (0, 1), 'deconv2.output_padding': (0, 1), 'deconv1.output_padding': (0, 1)},
    'observed': 'Expected size 130 but got size 129',
}
