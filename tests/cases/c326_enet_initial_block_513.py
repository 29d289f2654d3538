"""ENet's initial block joins a strided convolution (rounds up) and a max pool (rounds down): 257 and 256 at 513.

Family: cat of two ways down
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 3, 513, 512)


class Initial(nn.Module):
    def __init__(self, ceil):
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, stride=2, padding=1)
        self.pool = nn.MaxPool2d(2, 2, ceil_mode=ceil)

    def forward(self, x):
        return F.prelu(torch.cat([self.conv(x), self.pool(x)], 1), torch.full((1,), 0.25))


class Net(nn.Module):
    ceil = False

    def __init__(self):
        super().__init__()
        self.initial = Initial(self.ceil)
        self.regular = nn.Sequential(nn.Conv2d(8, 2, 1), nn.Conv2d(2, 2, (5, 1), padding=(2, 0)),
                                     nn.Conv2d(2, 2, (1, 5), padding=(0, 2)), nn.Conv2d(2, 8, 1))

    def resize(self, x, like):
        return F.interpolate(x, size=like.shape[2:])

    def forward(self, image):
        x = self.initial(image)
        return self.resize(x + self.regular(x), image)


class Fixed(Net):
    ceil = True


EXPECT = {
    'verdict': 'mismatch-skip', 'where': ['initial', 'initial.conv', 'initial.pool'], 'fix': 'ceil_mode=True',
    'observed': 'Expected size 257 but got size 256',
}
