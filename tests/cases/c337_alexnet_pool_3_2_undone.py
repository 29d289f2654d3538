"""AlexNet's overlapping pool (3, stride 2, no padding), undone by ConvTranspose 3/2 at 64: 63.

Family: pool against ConvTranspose
"""
import torch.nn.functional as F
from torch import nn

INPUT = (1, 3, 64, 64)


class Net(nn.Module):
    op = 0

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.pool = nn.AvgPool2d(3, stride=2)
        self.up = nn.ConvTranspose2d(8, 3, 3, stride=2, output_padding=self.op)

    def forward(self, x):
        return self.up(self.pool(F.relu(self.conv(x))))


class Fixed(Net):
    op = 1


EXPECT = {'verdict': 'mismatch-output', 'where': ['up'], 'fix': {'up.output_padding': 1}, 'observed': (1, 3, 63, 63)}
