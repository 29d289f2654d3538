"""FPN top-down path that interpolates to the lateral's size, odd laterals included.

Family: control, FPN
"""
import torch.nn.functional as F
from torch import nn

INPUT = (1, 3, 200, 340)
TARGET = None


class Net(nn.Module):
    def __init__(self, c=4):
        super().__init__()
        self.stem = nn.Conv2d(3, c, 7, stride=4, padding=3)
        self.stages = nn.ModuleList([nn.Conv2d(c, c, 3, stride=2, padding=1) for _ in range(3)])
        self.lateral = nn.ModuleList([nn.Conv2d(c, c, 1) for _ in range(3)])
        self.smooth = nn.ModuleList([nn.Conv2d(c, c, 3, padding=1) for _ in range(3)])

    def forward(self, x):
        features, x = [], self.stem(x)
        for stage in self.stages:
            x = F.relu(stage(x))
            features.append(x)
        out, merged = [], None
        for feature, lateral, smooth in list(zip(features, self.lateral, self.smooth))[::-1]:
            new = lateral(feature)
            merged = new if merged is None else new + F.interpolate(merged, size=new.shape[-2:], mode='nearest')
            out.insert(0, smooth(merged))
        return {f'p{i + 3}': level for i, level in enumerate(out)}


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 4, 25, 43)}
