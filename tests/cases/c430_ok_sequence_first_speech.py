"""Speech autoencoder that takes (time, batch, features), pools by 2 with ceil and cuts at the end, at 101 frames.

Family: control, sequence-first layout
"""
import torch.nn.functional as F
from torch import nn

INPUT = (101, 2, 8)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp, self.mid = nn.Conv1d(8, 8, 5, padding=2), nn.Conv1d(8, 8, 3, padding=1)
        self.pool = nn.MaxPool1d(2, ceil_mode=True)
        self.up = nn.Upsample(scale_factor=2)

    def forward(self, x):
        t = x.size(0)
        y = self.pool(F.relu(self.inp(x.permute(1, 2, 0))))
        y = self.up(self.mid(y))[:, :, :t]
        return y.permute(2, 0, 1) + x


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (101, 2, 8)}
