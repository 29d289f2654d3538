"""Pools that round up, plain doubling, a negative pad to the skip's size: any size, here 45x30.

Family: control, F.pad with negative values
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 3, 45, 30)


class Net(nn.Module):
    def __init__(self, c=4):
        super().__init__()
        self.enc1, self.enc2 = nn.Conv2d(3, c, 3, padding=1), nn.Conv2d(c, c, 3, padding=1)
        self.mid = nn.Conv2d(c, c, 3, padding=1)
        self.dec2, self.dec1 = nn.Conv2d(2 * c, c, 3, padding=1), nn.Conv2d(2 * c, 2, 3, padding=1)

    def forward(self, x):
        e1 = F.relu(self.enc1(x))
        e2 = F.relu(self.enc2(F.max_pool2d(e1, 2, ceil_mode=True)))
        x = F.relu(self.mid(F.max_pool2d(e2, 2, ceil_mode=True)))
        for skip, dec in ((e2, self.dec2), (e1, self.dec1)):
            x = F.interpolate(x, scale_factor=2, mode='nearest')
            x = F.pad(x, (0, skip.shape[3] - x.shape[3], 0, skip.shape[2] - x.shape[2]))
            x = dec(torch.cat([skip, x], 1))
        return x


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 2, 45, 30)}
