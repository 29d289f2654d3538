"""A residual block whose shortcut lacks the stride of the block: 32 against 64.

Source: in the style of threads on hand-written ResNets
Family: residual network, 1x1 shortcut
"""
import torch.nn.functional as F
from torch import nn

INPUT = (2, 3, 64, 64)
TARGET = None


class Block(nn.Module):
    def __init__(self, in_c, out_c, stride, short):
        super().__init__()
        self.conv1 = nn.Conv2d(in_c, out_c, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_c)
        self.conv2 = nn.Conv2d(out_c, out_c, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_c)
        self.shortcut = nn.Sequential(nn.Conv2d(in_c, out_c, 1, stride=short), nn.BatchNorm2d(out_c))

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return F.relu(out)


class Net(nn.Module):
    short = 1

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, 1, 1)
        self.b1, self.b2 = Block(16, 32, 2, self.short), Block(32, 64, 2, self.short)
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = self.b2(self.b1(self.stem(x)))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Fixed(Net):
    short = 2


EXPECT = {
    'verdict': 'raises',
    'where': ['b1.shortcut.0.stride'],
    'fix': {'b1.shortcut.0.stride': 2, 'b2.shortcut.0.stride': 2},
    'fix_kind': 'argument', 'fix_origin': 'obvious',
    'observed': 'The size of tensor a (32) must match the size of tensor b (64)',
}
