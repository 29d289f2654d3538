"""EEG autoencoder pooling the time axis only, by 4: 1125 samples come back as 1124.

Family: mixed axes, only one is strided
"""
import torch.nn.functional as F
from torch import nn

INPUT = (1, 1, 22, 1125)


class Net(nn.Module):
    op = 0

    def __init__(self, c=4):
        super().__init__()
        self.temporal = nn.Conv2d(1, c, (1, 25), padding=(0, 12), bias=False)
        self.pool = nn.AvgPool2d((1, 4))
        self.up = nn.ConvTranspose2d(c, c, (1, 4), stride=(1, 4), output_padding=self.op)
        self.out = nn.Conv2d(c, 1, (1, 25), padding=(0, 12))

    def forward(self, x):
        return self.out(F.elu(self.up(self.pool(F.elu(self.temporal(x))))))


class Fixed(Net):
    op = (0, 1)


EXPECT = {'verdict': 'mismatch-output', 'where': ['up'], 'fix': {'up.output_padding': (0, 1)}, 'observed': (1, 1, 22, 1124)}
