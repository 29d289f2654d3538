"""Models whose specs are tested."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


class Rows(nn.Module):
    """Only squares fit: rows are joined with columns."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x) + x.transpose(2, 3)


class Odd(nn.Module):
    """Sizes that are odd take another way, which gives another size."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[-1] % 2:
            x = F.pad(x, (0, 3))
        return self.conv(x)


class Joined(nn.Module):
    """Two levels with a skip: H and W must be multiples of 4."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 4, 4, stride=4)
        self.up = nn.ConvTranspose2d(4, 4, 4, stride=4)
        self.head = nn.Conv2d(7, 2, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.head(torch.cat([image, self.up(self.down(image))], 1))
