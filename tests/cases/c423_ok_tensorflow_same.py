"""TensorFlow's 'same' down (pad computed from the size) and up (k3 s2, cut to twice), cropped to the input: 37x50.

Family: control, asymmetric pads
"""
import torch.nn.functional as F
from torch import nn

INPUT = (1, 1, 37, 50)


class SameConv(nn.Conv2d):
    def forward(self, x):
        ih, iw = x.size()[-2:]
        oh, ow = -(-ih // self.stride[0]), -(-iw // self.stride[1])
        ph = max((oh - 1) * self.stride[0] + self.kernel_size[0] - ih, 0)
        pw = max((ow - 1) * self.stride[1] + self.kernel_size[1] - iw, 0)
        return super().forward(F.pad(x, [pw // 2, pw - pw // 2, ph // 2, ph - ph // 2]))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1, self.down2 = SameConv(1, 4, 3, 2), SameConv(4, 4, 3, 2)
        self.up1, self.up2 = nn.ConvTranspose2d(4, 4, 3, 2), nn.ConvTranspose2d(4, 1, 3, 2)

    def forward(self, x):
        y = self.down1(x)
        z = self.down2(y)
        y = self.up1(z)[:, :, :y.shape[2], :y.shape[3]]
        return self.up2(y)[:, :, :x.shape[2], :x.shape[3]]


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 1, 37, 50)}
