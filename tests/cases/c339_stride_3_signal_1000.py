"""Two stride-3 stages on 1000 samples: 999 come back.

Family: 1-D autoencoder, odd stride
"""
import torch.nn.functional as F
from torch import nn

INPUT = (2, 1, 1000)


class Net(nn.Module):
    op = 0

    def __init__(self):
        super().__init__()
        self.enc1, self.enc2 = nn.Conv1d(1, 4, 3, stride=3), nn.Conv1d(4, 8, 3, stride=3)
        self.dec1 = nn.ConvTranspose1d(8, 4, 3, stride=3)
        self.dec2 = nn.ConvTranspose1d(4, 1, 3, stride=3, output_padding=self.op)

    def forward(self, x):
        return self.dec2(F.gelu(self.dec1(F.gelu(self.enc2(F.gelu(self.enc1(x)))))))


class Fixed(Net):
    op = 1


EXPECT = {'verdict': 'mismatch-output', 'where': ['dec2'], 'fix': {'dec2.output_padding': 1}, 'observed': (2, 1, 999)}
