"""V-Net with k2 s2 convolutions on 155 slices: 77 slices lose one, 76 meet 77.

Family: 3-D skip, cat
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 1, 155, 48, 48)


class Down(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.down_conv = nn.Conv3d(i, o, kernel_size=2, stride=2)
        self.ops = nn.Conv3d(o, o, kernel_size=5, padding=2)

    def forward(self, x):
        down = F.elu(self.down_conv(x))
        return F.elu(self.ops(down) + down)


class Up(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.up_conv = nn.ConvTranspose3d(i, o, kernel_size=2, stride=2)
        self.ops = nn.Conv3d(2 * o, o, kernel_size=5, padding=2)

    def forward(self, x, skip):
        return F.elu(self.ops(torch.cat((F.elu(self.up_conv(x)), skip), 1)))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.in_tr = nn.Conv3d(1, 2, 5, padding=2)
        self.down_tr32, self.down_tr64 = Down(2, 4), Down(4, 4)
        self.up_tr64, self.up_tr32 = Up(4, 4), Up(4, 2)
        self.out_tr = nn.Conv3d(2, 2, 1)

    def forward(self, x):
        out16 = self.in_tr(x)
        out32 = self.down_tr32(out16)
        out = self.up_tr64(self.down_tr64(out32), out32)
        return self.out_tr(self.up_tr32(out, out16))


class Fixed(Net):
    def forward(self, x):
        return super().forward(F.pad(x, (0, 0, 0, 0, 0, -x.shape[2] % 4)))[:, :, :x.shape[2]]


EXPECT = {
    'verdict': 'mismatch-skip', 'where': ['down_tr64.down_conv', 'up_tr64.up_conv'],
    'fix': 'pad the depth to a multiple of 4, crop the result', 'observed': 'Expected size 76 but got size 77',
}
