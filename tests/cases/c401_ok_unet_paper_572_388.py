"""The U-Net of the paper: valid convolutions, cropped skips, 572 to 388 on purpose.

Family: control, smaller output on purpose
"""
import torch
from torch import nn

INPUT = (1, 1, 572, 572)
TARGET = None


def double(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3), nn.ReLU(), nn.Conv2d(o, o, 3), nn.ReLU())


class Net(nn.Module):
    def __init__(self, c=2):
        super().__init__()
        self.downs = nn.ModuleList([double(1 if i == 0 else c, c) for i in range(5)])
        self.pool = nn.MaxPool2d(2, 2)
        self.upconvs = nn.ModuleList([nn.ConvTranspose2d(c, c, 2, 2) for _ in range(4)])
        self.decs = nn.ModuleList([double(2 * c, c) for _ in range(4)])
        self.out = nn.Conv2d(c, 2, 1)

    def crop(self, features, x):
        dy = (features.shape[2] - x.shape[2]) // 2
        dx = (features.shape[3] - x.shape[3]) // 2
        return features[:, :, dy:dy + x.shape[2], dx:dx + x.shape[3]]

    def forward(self, x):
        features = []
        for i, down in enumerate(self.downs):
            x = down(x if i == 0 else self.pool(x))
            features.append(x)
        for up, dec, skip in zip(self.upconvs, self.decs, features[-2::-1]):
            x = up(x)
            x = dec(torch.cat([self.crop(skip, x), x], dim=1))
        return self.out(x)


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 2, 388, 388)}
