"""3-D U-Net with MaxPool3d and trilinear Upsample on 20x100x100 patches: 25 becomes 12, then 24.

Family: 3-D skip, Upsample
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 1, 24, 100, 100)


def double(i, o):
    return nn.Sequential(nn.Conv3d(i, o, 3, padding=1), nn.InstanceNorm3d(o), nn.ReLU())


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool = nn.MaxPool3d(2)
        self.up = nn.Upsample(scale_factor=2, mode='trilinear', align_corners=True)
        self.encoders = nn.ModuleList([double(1, 2), double(2, 2), double(2, 4), double(4, 4)])
        self.decoders = nn.ModuleList([double(8, 2), double(4, 2), double(4, 2)])
        self.final = nn.Conv3d(2, 3, 1)

    def forward(self, x):
        skips = []
        for i, encoder in enumerate(self.encoders):
            x = encoder(x if i == 0 else self.pool(x))
            skips.insert(0, x)
        for decoder, skip in zip(self.decoders, skips[1:]):
            x = decoder(torch.cat([self.up(x), skip], dim=1))
        return self.final(x)


class Fixed(Net):
    def forward(self, x):
        pad = [0, -x.shape[4] % 8, 0, -x.shape[3] % 8, 0, -x.shape[2] % 8]
        return super().forward(F.pad(x, pad))[:, :, :x.shape[2], :x.shape[3], :x.shape[4]]


EXPECT = {
    'verdict': 'mismatch-skip', 'where': ['pool', 'up'], 'fix': 'pad to a multiple of 8, crop the result',
    'observed': 'Expected size 24 but got size 25',
}
