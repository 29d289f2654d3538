"""The children of a backbone without the last: its flatten stood in forward, so the head gets a 64x1x1 map.

Source: in the style of threads on list(resnet.children())[:-1]
Family: transfer learning, mat1 and mat2 shapes cannot be multiplied (128x1 and 64x10)
"""
from torch import nn

INPUT = (2, 3, 64, 64)
TARGET = None


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.relu, self.conv2 = nn.Conv2d(3, 32, 7, 2, 3), nn.ReLU(), nn.Conv2d(32, 64, 3, 2, 1)
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(64, 1000)

    def forward(self, x):
        return self.fc(self.avgpool(self.conv2(self.relu(self.conv1(x)))).flatten(1))


class Net(nn.Module):
    more = ()

    def __init__(self):
        super().__init__()
        net = Backbone()
        self.features = nn.Sequential(*list(net.children())[:-1], *self.more)
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        x = self.features(x)
        return self.head(x)


class Fixed(Net):
    more = (nn.Flatten(),)


EXPECT = {
    'verdict': 'raises',
    'where': ['the 64x1x1 before it is not flattened'],
    'fix': 'nn.Flatten() behind the pool',
    'fix_kind': 'code', 'fix_origin': 'obvious',
    'observed': 'mat1 and mat2 shapes cannot be multiplied (128x1 and 64x10)',
}
