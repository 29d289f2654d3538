"""U-Net up block with `if x.shape != skip.shape: interpolate`, at 75x101.

Family: control, Python branch on sizes
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 3, 75, 101)


class Net(nn.Module):
    def __init__(self, features=(2, 4, 4)):
        super().__init__()
        self.ups, self.downs = nn.ModuleList(), nn.ModuleList()
        i = 3
        for feature in features:
            self.downs.append(nn.Conv2d(i, feature, 3, 1, 1))
            i = feature
        for feature in reversed(features):
            self.ups.append(nn.ConvTranspose2d(i, feature, kernel_size=2, stride=2))
            self.ups.append(nn.Conv2d(feature * 2, feature, 3, 1, 1))
            i = feature
        self.pool = nn.MaxPool2d(kernel_size=2, stride=2)
        self.final = nn.Conv2d(features[0], 1, 1)

    def forward(self, x):
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
            x = self.pool(x)
        skips = skips[::-1]
        for idx in range(0, len(self.ups), 2):
            x = self.ups[idx](x)
            skip = skips[idx // 2]
            if x.shape != skip.shape:
                x = F.interpolate(x, size=skip.shape[2:])
            x = self.ups[idx + 1](torch.cat((skip, x), dim=1))
        return self.final(x)


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 1, 75, 101)}
