"""Vision transformer with a learned table for 8x8 patches, fed 96x96.

Family: table of positions
"""
import torch
from torch import nn

INPUT = (1, 3, 96, 96)
TARGET = None
FIXED_INPUT = (1, 3, 64, 64)


class Net(nn.Module):
    def __init__(self, dim=8, patch=8, size=64):
        super().__init__()
        self.patch_embed = nn.Conv2d(3, dim, patch, patch)
        self.pos_embed = nn.Parameter(torch.zeros(1, (size // patch) ** 2 + 1, dim))
        self.block = nn.TransformerEncoderLayer(dim, 2, 16, batch_first=True)

    def forward(self, x):
        x = self.patch_embed(x).flatten(2).transpose(1, 2)
        return self.block(x + self.pos_embed[:, 1:, :])


class Fixed(Net):
    pass


EXPECT = {'verdict': 'mismatch-skip', 'where': ['pos_embed'], 'fix': 'the size that the table is for', 'observed': 'must match the size of tensor b (64)'}
