"""SegNet that remembers the sizes and tells them to the unpool, at 45x61.

Family: control, MaxUnpool with output_size
"""
import torch.nn.functional as F
from torch import nn

INPUT = (1, 3, 45, 61)


class Net(nn.Module):
    def __init__(self, c=4):
        super().__init__()
        self.enc = nn.ModuleList([nn.Conv2d(3, c, 3, padding=1), nn.Conv2d(c, c, 3, padding=1)])
        self.dec = nn.ModuleList([nn.Conv2d(c, c, 3, padding=1), nn.Conv2d(c, 3, 3, padding=1)])

    def forward(self, x):
        kept = []
        for conv in self.enc:
            x = F.relu(conv(x))
            dim = x.size()
            x, ind = F.max_pool2d(x, kernel_size=2, stride=2, return_indices=True)
            kept.append((dim, ind))
        for conv in self.dec:
            dim, ind = kept.pop()
            x = conv(F.max_unpool2d(x, ind, kernel_size=2, stride=2, output_size=dim))
        return x


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 3, 45, 61)}
