"""W-Net, two U-Nets in a row, at 20x20 with three halvings: 5 becomes 2.

Family: U-Net skip, two networks
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 3, 20, 20)


class UNet(nn.Module):
    def __init__(self, i, o, c=2, depth=3):
        super().__init__()
        self.down = nn.ModuleList([nn.Conv2d(i if k == 0 else c, c, 3, padding=1) for k in range(depth)])
        self.bottom = nn.Conv2d(c, c, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ModuleList([nn.ConvTranspose2d(c, c, 2, stride=2) for _ in range(depth)])
        self.conv = nn.ModuleList([nn.Conv2d(2 * c, c, 3, padding=1) for _ in range(depth)])
        self.out = nn.Conv2d(c, o, 1)

    def forward(self, x):
        skips = []
        for conv in self.down:
            skips.append(F.relu(conv(x)))
            x = self.pool(skips[-1])
        x = self.bottom(x)
        for up, conv, skip in zip(self.up, self.conv, reversed(skips)):
            x = F.relu(conv(torch.cat((up(x), skip), 1)))
        return self.out(x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = UNet(3, 4), UNet(4, 3)

    def forward(self, x):
        segments = F.softmax(self.encoder(x), dim=1)
        return {'segments': segments, 'image': self.decoder(segments)}


class Fixed(Net):
    def forward(self, x):
        h, w = x.shape[2:]
        both = super().forward(F.pad(x, (0, -w % 8, 0, -h % 8)))
        return {name: image[:, :, :h, :w] for name, image in both.items()}


EXPECT = {
    'verdict': 'mismatch-skip', 'where': ['encoder.pool', 'encoder.up.0'], 'fix': 'pad to a multiple of 8',
    'observed': 'Expected size 4 but got size 5',
}
