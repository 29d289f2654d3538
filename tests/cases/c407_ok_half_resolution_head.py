"""A heat-map head: three levels down, two up, half resolution on purpose.

Family: control, smaller output on purpose
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 3, 64, 96)
TARGET = None


class Net(nn.Module):
    def __init__(self, c=4):
        super().__init__()
        self.d1, self.d2, self.d3 = (nn.Conv2d(3 if i == 0 else c, c, 3, 2, 1) for i in range(3))
        self.u1, self.u2 = nn.ConvTranspose2d(c, c, 4, 2, 1), nn.ConvTranspose2d(2 * c, c, 4, 2, 1)
        self.heat = nn.Conv2d(2 * c, 17, 1)

    def forward(self, x):
        x1 = F.relu(self.d1(x))
        x2 = F.relu(self.d2(x1))
        x = torch.cat([self.u1(F.relu(self.d3(x2))), x2], 1)
        return self.heat(torch.cat([self.u2(F.relu(x)), x1], 1))


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 17, 32, 48)}
