"""Transposed convolutions that are told the size they have to make.

Family: control, output_size=
"""
import torch.nn.functional as F
from torch import nn

INPUT = (1, 3, 57, 91)


class Net(nn.Module):
    def __init__(self, c=4):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, c, 3, 2, 1), nn.Conv2d(c, c, 3, 2, 1)
        self.up1, self.up2 = nn.ConvTranspose2d(c, c, 3, 2, 1), nn.ConvTranspose2d(c, 3, 3, 2, 1)

    def forward(self, x):
        y1 = F.relu(self.conv1(x))
        y2 = F.relu(self.conv2(y1))
        y = F.relu(self.up1(y2, output_size=y1.size())) + y1
        return self.up2(y, output_size=x.shape[-2:])


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 3, 57, 91)}
