"""pix2pix's eight halvings on a 128x128 image: the innermost k4 convolution sees 1x1.

Family: too many levels for the input
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 3, 128, 128)


class Net(nn.Module):
    depth = 8

    def __init__(self, c=2):
        super().__init__()
        self.downs = nn.ModuleList([nn.Conv2d(3 if i == 0 else c, c, 4, 2, 1) for i in range(self.depth)])
        self.ups = nn.ModuleList([nn.ConvTranspose2d(c if i == 0 else 2 * c, c, 4, 2, 1) for i in range(self.depth)])

    def forward(self, x):
        skips = []
        for down in self.downs:
            x = F.leaky_relu(down(x), 0.2)
            skips.append(x)
        x = skips.pop()
        for up in self.ups[:-1]:
            x = torch.cat([F.relu(up(x)), skips.pop()], 1)
        return torch.tanh(self.ups[-1](x))


class Fixed(Net):
    depth = 7


EXPECT = {'verdict': 'raises', 'where': ['downs.7'], 'fix': 'seven levels', 'observed': "Kernel size can't be greater"}
