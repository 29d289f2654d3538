"""Attention U-Net that pads to the skip with replicate, at 43x58.

Family: control, gates with resize
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 1, 43, 58)


class Net(nn.Module):
    def __init__(self, c=4):
        super().__init__()
        self.inc, self.down = nn.Conv2d(1, c, 3, padding=1), nn.Conv2d(c, c, 3, padding=1)
        self.theta, self.phi, self.psi = nn.Conv2d(c, c, 2, 2), nn.Conv2d(c, c, 1), nn.Conv2d(c, 1, 1)
        self.up, self.out = nn.ConvTranspose2d(c, c, 2, 2), nn.Conv2d(2 * c, 1, 1)

    def forward(self, x):
        skip = F.relu(self.inc(x))
        g = F.relu(self.down(F.max_pool2d(skip, 2)))
        gate = torch.sigmoid(self.psi(F.relu(self.theta(skip) + self.phi(g))))
        skip = skip * F.interpolate(gate, size=skip.size()[2:], mode='bilinear', align_corners=False)
        up = self.up(g)
        dh, dw = skip.size(2) - up.size(2), skip.size(3) - up.size(3)
        if dh or dw:
            up = F.pad(up, (0, dw, 0, dh), mode='replicate')
        return self.out(torch.cat([skip, up], 1))


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 1, 43, 58)}
