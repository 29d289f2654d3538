"""SegNet on CamVid's 360x480: 45 rows are pooled to 22 and unpooled to 44.

Family: MaxUnpool without output_size
"""
import torch.nn.functional as F
from torch import nn

INPUT = (1, 3, 360, 480)


class Net(nn.Module):
    def __init__(self, c=4):
        super().__init__()
        self.pool = nn.MaxPool2d(2, stride=2, return_indices=True)
        self.unpool = nn.MaxUnpool2d(2, stride=2)
        self.encoder = nn.ModuleList([nn.Conv2d(3 if i == 0 else c, c, 3, padding=1) for i in range(4)])
        self.decoder = nn.ModuleList([nn.Conv2d(c, c, 3, padding=1) for _ in range(4)])

    def restore(self, x, indices, size):
        return self.unpool(x, indices)

    def forward(self, x):
        kept = []
        for conv in self.encoder:
            x = F.relu(conv(x))
            size = x.size()
            x, indices = self.pool(x)
            kept.append((indices, size))
        for conv in self.decoder:
            indices, size = kept.pop()
            x = F.relu(conv(self.restore(x, indices, size)))
        return x


class Fixed(Net):
    def restore(self, x, indices, size):
        return self.unpool(x, indices, output_size=size)


EXPECT = {'verdict': 'raises', 'where': ['unpool'], 'fix': 'output_size', 'observed': '44, 60'}
