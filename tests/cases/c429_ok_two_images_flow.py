"""FlowNet-like network of two images whose flow has a quarter of the size on purpose.

Family: control, several inputs, smaller output on purpose
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = ((1, 3, 64, 96), (1, 3, 64, 96))
TARGET = None


class Net(nn.Module):
    def __init__(self, c=4):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(6, c, 7, 2, 3), nn.Conv2d(c, c, 5, 2, 2)
        self.conv3 = nn.Conv2d(c, c, 3, 2, 1)
        self.deconv2 = nn.ConvTranspose2d(c, c, 4, 2, 1)
        self.predict = nn.Conv2d(2 * c, 2, 3, padding=1)

    def forward(self, first, second):
        x = F.leaky_relu(self.conv1(torch.cat([first, second], dim=1)), 0.1)
        x2 = F.leaky_relu(self.conv2(x), 0.1)
        x3 = F.leaky_relu(self.conv3(x2), 0.1)
        return self.predict(torch.cat([self.deconv2(x3), x2], 1))


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 2, 16, 24)}
