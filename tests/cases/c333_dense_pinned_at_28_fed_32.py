"""A dense autoencoder sized for MNIST's 28x28, fed with images padded to 32x32.

Family: Linear in_features tied to one image size
"""
import torch.nn.functional as F
from torch import nn

INPUT = (4, 1, 32, 32)


class Net(nn.Module):
    side = 7

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                                      nn.Conv2d(4, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.fc1 = nn.Linear(8 * self.side * self.side, 16)
        self.fc2 = nn.Linear(16, 8 * self.side * self.side)
        self.up = nn.Sequential(nn.ConvTranspose2d(8, 4, 2, 2), nn.ReLU(), nn.ConvTranspose2d(4, 1, 2, 2))

    def forward(self, x):
        x = self.features(x)
        x = self.fc2(F.relu(self.fc1(x.view(x.size(0), -1))))
        return self.up(x.view(-1, 8, self.side, self.side))


class Fixed(Net):
    side = 8


EXPECT = {
    'verdict': 'raises', 'where': ['fc1'], 'fix': {'fc1.in_features': 512, 'fc2.out_features': 512},
    'observed': 'mat1 and mat2 shapes cannot be multiplied (4x512 and 392x16)',
}
