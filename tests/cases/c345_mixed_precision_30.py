"""Autoencoder that runs its layers under autocast: 30x30 comes back as 29x29.

Family: mixed precision
"""
import torch
from torch import nn

INPUT = (1, 3, 30, 30)


class Net(nn.Module):
    op = 0

    def __init__(self, c=4):
        super().__init__()
        self.down, self.up = nn.Conv2d(3, c, 3, stride=2, padding=1), nn.ConvTranspose2d(c, c, 3, stride=2, padding=1, output_padding=self.op)
        self.head = nn.Conv2d(c, 3, 1)

    def forward(self, x):
        with torch.autocast(device_type=x.device.type, dtype=torch.bfloat16):
            y = self.up(torch.relu_(self.down(x)))
        return self.head(y.float()).clamp_(0, 1)


class Fixed(Net):
    op = 1


EXPECT = {'verdict': 'mismatch-output', 'where': ['up'], 'fix': {'up.output_padding': 1}, 'observed': (1, 3, 29, 29)}
