"""An audio codec with strides 2, 4, 5, 8: 32000 samples go in, 31992 come back; the odd stride loses one frame."""

from itertools import pairwise
from math import ceil

from torch import Tensor, nn

STRIDES = (2, 4, 5, 8)
WIDTHS = (8, 16, 32, 64, 128)


def down(channels: tuple[int, int], stride: int) -> nn.Conv1d:
    return nn.Conv1d(*channels, 2 * stride, stride=stride, padding=ceil(stride / 2))


def up(channels: tuple[int, int], stride: int) -> nn.ConvTranspose1d:
    return nn.ConvTranspose1d(*channels, 2 * stride, stride=stride, padding=ceil(stride / 2))


# shapelint: input=1,1,32000
class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        steps = list(zip(pairwise(WIDTHS), STRIDES, strict=True))
        self.encoder = nn.Sequential(nn.Conv1d(1, 8, 7, padding=3), *(down(pair, stride) for pair, stride in steps))
        self.decoder = nn.Sequential(*(up(pair[::-1], stride) for pair, stride in reversed(steps)))
        self.head = nn.Conv1d(8, 1, 7, padding=3)

    def forward(self, audio: Tensor) -> Tensor:
        return self.head(self.decoder(self.encoder(audio)))
