"""The models that only the benchmarks need; the others are those of examples/."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Huge(nn.Module):
    """An encoder-decoder of ten billion parameters: 40 GB where its weights are real."""

    def __init__(self, channels: int = 10_000, layers: int = 10) -> None:
        super().__init__()
        middle = (nn.Conv2d(channels, channels, 3, padding=1) for _ in range(layers))
        self.down = nn.Conv2d(3, channels, 3, stride=2, padding=1)
        self.middle = nn.Sequential(*middle)
        self.up = nn.ConvTranspose2d(channels, channels, 3, stride=2, padding=1, output_padding=1)
        self.wide = nn.Conv2d(channels, channels, 3, padding=1)
        self.head = nn.Conv2d(channels, 3, 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.wide(self.up(self.middle(self.down(image)))))


def deep(layers: int) -> nn.Module:
    """A chain of so many convolutions, on meta."""
    with torch.device("meta"):
        return nn.Sequential(*(nn.Conv2d(4, 4, 3, padding=1) for _ in range(layers))).eval()
