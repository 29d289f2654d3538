"""A U-Net of four levels that works at 64 and raises at 65: the first pool drops a row, and the last join misses it."""

import torch
from torch import Tensor, nn


def block(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, padding=1),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
        nn.Conv2d(channels_out, channels_out, 3, padding=1),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    )


# shapelint: input=1,3,65,65
class Net(nn.Module):
    def __init__(self, channels: int = 16, levels: int = 4) -> None:
        super().__init__()
        widths = [channels * 2**level for level in range(levels + 1)]
        self.pool = nn.MaxPool2d(2)
        self.down = nn.ModuleList(block(a, b) for a, b in zip([3, *widths], widths, strict=False))
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * width, width, 2, stride=2) for width in widths[-2::-1])
        self.merge = nn.ModuleList(block(2 * width, width) for width in widths[-2::-1])
        self.head = nn.Conv2d(channels, 2, 1)

    def forward(self, image: Tensor) -> Tensor:
        skips = [self.down[0](image)]
        for down in self.down[1:]:
            skips.append(down(self.pool(skips[-1])))
        x = skips.pop()
        for up, merge in zip(self.up, self.merge, strict=True):
            x = merge(torch.cat([skips.pop(), up(x)], dim=1))
        return self.head(x)
