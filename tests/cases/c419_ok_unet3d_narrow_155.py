"""3-D U-Net whose pools round up and whose up blocks cut the surplus slice, on 155 slices.

Family: control, ceil and crop
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 1, 155, 24, 30)


class Net(nn.Module):
    def __init__(self, c=2, depth=2):
        super().__init__()
        self.enc = nn.ModuleList([nn.Conv3d(1 if i == 0 else c, c, 3, padding=1) for i in range(depth + 1)])
        self.pool = nn.MaxPool3d(2, ceil_mode=True)
        self.up = nn.ModuleList([nn.ConvTranspose3d(c, c, 2, stride=2) for _ in range(depth)])
        self.dec = nn.ModuleList([nn.Conv3d(2 * c, c, 3, padding=1) for _ in range(depth)])

    def forward(self, x):
        skips = []
        for i, conv in enumerate(self.enc):
            x = F.relu(conv(x if i == 0 else self.pool(x)))
            skips.append(x)
        skips.pop()
        for up, conv in zip(self.up, self.dec):
            skip = skips.pop()
            x = up(x)
            for axis in (2, 3, 4):
                x = torch.narrow(x, axis, 0, skip.shape[axis])
            x = F.relu(conv(torch.cat([x, skip], 1)))
        return x


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 2, 155, 24, 30)}
