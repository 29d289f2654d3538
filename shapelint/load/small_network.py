"""A network that a process checks to become warm: it has the layers of a U-Net, and loses a row on the way."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Small(nn.Module):
    """A network with the layers of a U-Net that loses a row, so that its diagnosis and its repair are run too."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.down = nn.ModuleList([nn.MaxPool2d(2), nn.Conv2d(4, 4, 3, stride=2, padding=1)])
        self.up = nn.ConvTranspose2d(4, 4, 2, stride=2)

    def forward(self, image: Tensor) -> Tensor:
        """Two levels down and one up, joined."""
        first = self.block(image)
        second = self.down[0](first)
        deepest: Tensor = self.down[1](second)
        return torch.cat([first, self.up(second)], dim=1).flatten(1).mean(1) + deepest.sum()
