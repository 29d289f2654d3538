"""Wave-U-Net that decimates by slicing and doubles by interpolation: 125 samples come back as 126.

Family: 1-D skip
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 1, 1000)


class Net(nn.Module):
    def __init__(self, depth=5, c=4):
        super().__init__()
        self.encoder = nn.ModuleList([nn.Conv1d(1 if i == 0 else c, c, 15, padding=7) for i in range(depth)])
        self.middle = nn.Conv1d(c, c, 15, padding=7)
        self.decoder = nn.ModuleList([nn.Conv1d(2 * c, c, 5, padding=2) for _ in range(depth)])
        self.out = nn.Conv1d(c + 1, 1, 1)

    def resize(self, x, skip):
        return F.interpolate(x, scale_factor=2, mode='linear', align_corners=True)

    def forward(self, mix):
        x, skips = mix, []
        for conv in self.encoder:
            x = F.leaky_relu(conv(x), 0.1)
            skips.append(x)
            x = x[:, :, ::2]
        x = F.leaky_relu(self.middle(x), 0.1)
        for conv in self.decoder:
            skip = skips.pop()
            x = F.leaky_relu(conv(torch.cat([self.resize(x, skip), skip], dim=1)), 0.1)
        return torch.tanh(self.out(torch.cat([x, mix], dim=1)))


class Fixed(Net):
    def resize(self, x, skip):
        return F.interpolate(x, size=skip.shape[-1], mode='linear', align_corners=True)


EXPECT = {
    'verdict': 'mismatch-skip', 'where': ['decoder.0', 'decoder.1', 'encoder.3', 'encoder.4', 'forward: x[:, :, ::2]'],
    'fix': 'interpolate(size=skip.shape[-1])', 'observed': 'Sizes of tensors must match',
}
