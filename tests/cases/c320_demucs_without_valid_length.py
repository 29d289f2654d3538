"""Demucs-like k8 s4 valid convolutions whose skips are centre-trimmed: 10000 samples silently become 9940.

Family: 1-D, silent shrink through trim
"""
import torch.nn.functional as F
from torch import nn

INPUT = (1, 2, 10000)


def center_trim(tensor, reference):
    delta = tensor.size(-1) - reference.size(-1)
    if delta < 0:
        raise ValueError('tensor must be larger than reference')
    return tensor[..., delta // 2:-(delta - delta // 2)] if delta else tensor


class Net(nn.Module):
    depth = 3

    def __init__(self, c=4):
        super().__init__()
        self.encoder = nn.ModuleList([nn.Conv1d(2 if i == 0 else c, c, 8, 4) for i in range(self.depth)])
        self.decoder = nn.ModuleList([nn.ConvTranspose1d(c, c if i < self.depth - 1 else 2, 8, 4) for i in range(self.depth)])

    def forward(self, x):
        skips = []
        for conv in self.encoder:
            x = F.relu(conv(x))
            skips.append(x)
        for conv in self.decoder:
            x = x + center_trim(skips.pop(), x)
            x = F.relu(conv(x))
        return x


class Fixed(Net):
    def valid_length(self, length):
        for _ in range(self.depth):
            length = max(-((8 - length) // 4) + 1, 1)
        for _ in range(self.depth):
            length = (length - 1) * 4 + 8
        return length

    def forward(self, x):
        delta = self.valid_length(x.size(-1)) - x.size(-1)
        return center_trim(super().forward(F.pad(x, (delta // 2, delta - delta // 2))), x)


EXPECT = {
    'verdict': 'mismatch-output', 'where': ['decoder.0', 'decoder.1', 'decoder.2'],
    'fix': 'pad to a valid length, trim the result', 'observed': (1, 2, 9940),
}
