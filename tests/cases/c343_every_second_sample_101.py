"""Wave-U-Net style network that goes down by `x[:, :, ::2]`: 101 samples come back as 102.

Family: decimation by slicing
"""
import torch.nn.functional as F
from torch import nn

INPUT = (1, 1, 101)


class Net(nn.Module):
    def __init__(self, c=4):
        super().__init__()
        self.enc, self.mid = nn.Conv1d(1, c, 15, padding=7), nn.Conv1d(c, c, 15, padding=7)
        self.dec = nn.Conv1d(c, 1, 5, padding=2)

    def up(self, y, x):
        return F.interpolate(y, scale_factor=2, mode='linear', align_corners=True)

    def forward(self, x):
        o = F.leaky_relu(self.enc(x), 0.1)
        o = F.leaky_relu(self.mid(o[:, :, ::2]), 0.1)
        return self.dec(self.up(o, x))


class Fixed(Net):
    def up(self, y, x):
        return F.interpolate(y, size=x.shape[-1:], mode='linear', align_corners=True)


EXPECT = {'verdict': 'mismatch-output', 'where': ['interpolate'], 'fix': 'size= instead of the factor', 'observed': (1, 1, 102)}
