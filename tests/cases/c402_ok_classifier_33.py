"""A classifier of strided convolutions with a global pool, at an odd size.

Family: control, nothing to restore
"""
import torch
from torch import nn

INPUT = (2, 3, 33, 33)
TARGET = None


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(), nn.Conv2d(4, 8, 3, 2, 1), nn.ReLU(),
                                      nn.MaxPool2d(3, 2, 1))
        self.pool = nn.AdaptiveAvgPool2d((1, 1))
        self.classifier = nn.Linear(8, 10)

    def forward(self, x):
        return self.classifier(torch.flatten(self.pool(self.features(x)), 1))


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (2, 10)}
