"""A model that pads its own input to a multiple of 8 with a helper and cuts the result, at 75x41.

Family: control, pad-input inside the model
"""
import torch.nn.functional as F
from torch import nn

INPUT = (1, 3, 75, 41)


def pad_to(x, stride):
    h, w = x.shape[-2:]
    new_h = h + stride - h % stride if h % stride > 0 else h
    new_w = w + stride - w % stride if w % stride > 0 else w
    lh, uh = (new_h - h) // 2, new_h - h - (new_h - h) // 2
    lw, uw = (new_w - w) // 2, new_w - w - (new_w - w) // 2
    pads = (lw, uw, lh, uh)
    return F.pad(x, pads, 'constant', 0), pads


def unpad(x, pad):
    if pad[2] + pad[3] > 0:
        x = x[:, :, pad[2]:-pad[3], :]
    if pad[0] + pad[1] > 0:
        x = x[:, :, :, pad[0]:-pad[1]]
    return x


class Net(nn.Module):
    def __init__(self, c=4):
        super().__init__()
        self.down = nn.ModuleList([nn.Conv2d(3 if i == 0 else c, c, 2, 2) for i in range(3)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(c, 3 if i == 2 else c, 2, 2) for i in range(3)])

    def forward(self, x):
        x, pads = pad_to(x, 8)
        for layer in self.down:
            x = F.relu(layer(x))
        for layer in self.up:
            x = layer(x)
        return unpad(x, pads)


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 3, 75, 41)}
