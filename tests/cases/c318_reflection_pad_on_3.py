"""ReflectionPad2d(3) before the first k7 convolution, on a 3x3 crop.

Family: reflect padding as large as the input
"""
import torch.nn.functional as F
from torch import nn

INPUT = (1, 3, 3, 3)
FIXED_INPUT = (1, 3, 4, 4)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.pad = nn.ReflectionPad2d(3)
        self.conv = nn.Conv2d(3, 4, 7)
        self.out = nn.Conv2d(4, 3, 1)

    def forward(self, x):
        return self.out(F.relu(self.conv(self.pad(x))))


class Fixed(Net):
    pass


EXPECT = {'verdict': 'raises', 'where': ['pad'], 'fix': 'an input of 4x4 at least', 'observed': 'Padding size should be less'}
