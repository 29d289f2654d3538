"""ECG beats of 187 samples, three k5 s2 p2 stages: 185 come back.

Family: 1-D autoencoder
"""
import torch
from torch import nn

INPUT = (8, 1, 187)


class Net(nn.Module):
    op = 0

    def __init__(self):
        super().__init__()
        self.down1 = nn.Conv1d(1, 4, 5, 2, 2)
        self.down2 = nn.Conv1d(4, 8, 5, 2, 2)
        self.down3 = nn.Conv1d(8, 8, 5, 2, 2)
        self.up1 = nn.ConvTranspose1d(8, 8, 5, 2, 2)
        self.up2 = nn.ConvTranspose1d(8, 4, 5, 2, 2, output_padding=self.op)
        self.up3 = nn.ConvTranspose1d(4, 1, 5, 2, 2)

    def forward(self, x):
        for layer in (self.down1, self.down2, self.down3):
            x = torch.relu(layer(x))
        for layer in (self.up1, self.up2):
            x = torch.relu(layer(x))
        return self.up3(x)


class Fixed(Net):
    op = 1


EXPECT = {'verdict': 'mismatch-output', 'where': ['up2'], 'fix': {'up2.output_padding': 1}, 'observed': (8, 1, 185)}
