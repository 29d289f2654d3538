"""CycleGAN's ResNet generator at the size it was made for.

Family: control, image to image
"""
from torch import nn

INPUT = (1, 3, 256, 256)


class Net(nn.Module):
    def __init__(self, c=2, blocks=2):
        super().__init__()
        model = [nn.ReflectionPad2d(3), nn.Conv2d(3, c, 7), nn.InstanceNorm2d(c), nn.ReLU(True)]
        for i in range(2):
            model += [nn.Conv2d(c * 2 ** i, c * 2 ** (i + 1), 3, stride=2, padding=1), nn.InstanceNorm2d(1), nn.ReLU(True)]
        for _ in range(blocks):
            model += [nn.ReflectionPad2d(1), nn.Conv2d(4 * c, 4 * c, 3), nn.ReLU(True)]
        for i in range(2):
            m = 2 ** (2 - i)
            model += [nn.ConvTranspose2d(c * m, c * m // 2, 3, stride=2, padding=1, output_padding=1), nn.ReLU(True)]
        self.model = nn.Sequential(*model, nn.ReflectionPad2d(3), nn.Conv2d(c, 3, 7), nn.Tanh())

    def forward(self, x):
        return self.model(x)


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 3, 256, 256)}
