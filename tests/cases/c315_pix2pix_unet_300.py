"""pix2pix U-Net of k4 s2 p1 blocks on 300x300: 75 becomes 37, then 74.

Family: U-Net skip, recursive blocks
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 3, 300, 300)


class SkipBlock(nn.Module):
    def __init__(self, outer, inner, inside=None, outermost=False, channels=None):
        super().__init__()
        self.outermost = outermost
        down = nn.Conv2d(channels or outer, inner, 4, 2, 1, bias=False)
        up = nn.ConvTranspose2d(inner * (2 if inside else 1), outer, 4, 2, 1)
        self.model = nn.Sequential(*[nn.LeakyReLU(0.2), down], *([inside] if inside else []), nn.ReLU(), up)

    def forward(self, x):
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


class Net(nn.Module):
    def __init__(self, depth=5, c=2):
        super().__init__()
        block = SkipBlock(c, c)
        for _ in range(depth - 2):
            block = SkipBlock(c, c, block)
        self.model = SkipBlock(3, c, block, outermost=True)

    def forward(self, x):
        return self.model(x)


class Fixed(Net):
    def forward(self, x):
        h, w = x.shape[2:]
        return super().forward(F.pad(x, (0, -w % 32, 0, -h % 32)))[:, :, :h, :w]


EXPECT = {
    'verdict': 'mismatch-skip', 'where': ['model.model.2.model.2.model.1', 'model.model.2.model.2.model.2.model.1',
                                          'model.model.2.model.2.model.2.model.2.model.1',
                                          'model.model.2.model.2.model.2.model.2.model.3',
                                          'model.model.2.model.2.model.2.model.4'],
    'fix': 'pad to a multiple of 32, crop the result', 'observed': 'Sizes of tensors must match',
}
