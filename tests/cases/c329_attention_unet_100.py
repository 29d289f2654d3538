"""Attention U-Net at 100x100: the gate resizes its signal, the up block does not resize its own.

Family: U-Net skip, attention gate
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 1, 100, 100)


class Gate(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.theta = nn.Conv2d(c, c, 2, stride=2, bias=False)
        self.phi = nn.Conv2d(c, c, 1)
        self.psi = nn.Conv2d(c, 1, 1)

    def forward(self, x, g):
        theta = self.theta(x)
        phi = F.interpolate(self.phi(g), size=theta.shape[2:], mode='bilinear')
        alpha = torch.sigmoid(self.psi(F.relu(theta + phi)))
        return F.interpolate(alpha, size=x.shape[2:], mode='bilinear') * x


class Net(nn.Module):
    def __init__(self, c=2):
        super().__init__()
        self.enc = nn.ModuleList([nn.Conv2d(1 if i == 0 else c, c, 3, padding=1) for i in range(4)])
        self.gates = nn.ModuleList([Gate(c) for _ in range(3)])
        self.ups = nn.ModuleList([nn.ConvTranspose2d(c, c, 2, 2) for _ in range(3)])
        self.dec = nn.ModuleList([nn.Conv2d(2 * c, c, 3, padding=1) for _ in range(3)])

    def fit(self, x, skip):
        return x

    def forward(self, x):
        skips = []
        for i, conv in enumerate(self.enc):
            x = F.relu(conv(x if i == 0 else F.max_pool2d(x, 2)))
            skips.append(x)
        for gate, up, dec, skip in zip(self.gates, self.ups, self.dec, skips[-2::-1]):
            gated = gate(skip, x)
            x = F.relu(dec(torch.cat([self.fit(up(x), skip), gated], 1)))
        return x


class Fixed(Net):
    def fit(self, x, skip):
        return F.pad(x, (0, skip.shape[3] - x.shape[3], 0, skip.shape[2] - x.shape[2]))


EXPECT = {
    'verdict': 'mismatch-skip', 'where': ['ups.0', 'forward: F.max_pool2d'], 'fix': 'pad to the skip',
    'observed': 'Expected size 24 but got size 25',
}
