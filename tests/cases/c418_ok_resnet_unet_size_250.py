"""ResNet-encoder U-Net that interpolates to the skip, and to the input at the end, at 250x333.

Family: control, interpolate(size=)
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 3, 250, 333)


class Net(nn.Module):
    def __init__(self, c=4):
        super().__init__()
        self.stem = nn.Conv2d(3, c, 7, 2, 3)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.layers = nn.ModuleList([nn.Conv2d(c, c, 3, 2, 1) for _ in range(3)])
        self.decode = nn.ModuleList([nn.Conv2d(2 * c, c, 3, padding=1) for _ in range(4)])
        self.head = nn.Conv2d(c, 1, 1)

    def forward(self, image):
        features = [F.relu(self.stem(image))]
        x = self.pool(features[0])
        features.append(x)
        for layer in self.layers:
            x = F.relu(layer(x))
            features.append(x)
        x = features.pop()
        for block, skip in zip(self.decode, reversed(features)):
            x = F.interpolate(x, size=(skip.size(2), skip.size(3)), mode='bilinear', align_corners=False)
            x = block(torch.cat((x, skip), 1))
        return F.interpolate(self.head(x), image.shape[-2:], mode='bilinear', align_corners=False)


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 1, 250, 333)}
