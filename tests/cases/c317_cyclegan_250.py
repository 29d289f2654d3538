"""CycleGAN's ResNet generator (two halvings) on 250x250: 252 comes back.

Family: image to image, output_padding=1 at an odd size
"""
import torch.nn.functional as F
from torch import nn

INPUT = (1, 3, 250, 250)


class Residual(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.block = nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(c, c, 3), nn.InstanceNorm2d(c), nn.ReLU(True),
                                   nn.ReflectionPad2d(1), nn.Conv2d(c, c, 3), nn.InstanceNorm2d(c))

    def forward(self, x):
        return x + self.block(x)


class Net(nn.Module):
    first = 1

    def __init__(self, c=4):
        super().__init__()
        self.stem = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(3, c, 7), nn.InstanceNorm2d(c), nn.ReLU(True))
        self.down1, self.down2 = nn.Conv2d(c, c, 3, 2, 1), nn.Conv2d(c, c, 3, 2, 1)
        self.residuals = nn.Sequential(*[Residual(c) for _ in range(2)])
        self.up1 = nn.ConvTranspose2d(c, c, 3, 2, 1, output_padding=self.first)
        self.up2 = nn.ConvTranspose2d(c, c, 3, 2, 1, output_padding=1)
        self.head = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(c, 3, 7), nn.Tanh())

    def forward(self, x):
        x = F.relu(self.down2(F.relu(self.down1(self.stem(x)))))
        x = self.residuals(x)
        return self.head(F.relu(self.up2(F.relu(self.up1(x)))))


class Fixed(Net):
    first = 0


EXPECT = {'verdict': 'mismatch-output', 'where': ['up1'], 'fix': {'up1.output_padding': 0}, 'observed': (1, 3, 252, 252)}
