"""pix2pix's eight levels at 256x256: the innermost map is exactly 1x1.

Family: control, U-Net
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 3, 256, 256)


class Net(nn.Module):
    def __init__(self, c=2, depth=8):
        super().__init__()
        self.downs = nn.ModuleList([nn.Conv2d(3 if i == 0 else c, c, 4, 2, 1) for i in range(depth)])
        self.norms = nn.ModuleList([nn.BatchNorm2d(c) for _ in range(depth)])
        self.ups = nn.ModuleList([nn.ConvTranspose2d(c if i == 0 else 2 * c, c, 4, 2, 1) for i in range(depth)])
        self.last = nn.Conv2d(c, 3, 1)

    def forward(self, x):
        skips = []
        for down, norm in zip(self.downs, self.norms):
            x = F.leaky_relu(norm(down(x)), 0.2)
            skips.append(x)
        x = skips.pop()
        for up in self.ups:
            x = F.relu(up(x))
            if skips:
                x = torch.cat([x, skips.pop()], 1)
        return torch.tanh(self.last(x))


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 3, 256, 256)}
