"""The VAE of dense layers of many tutorials, `x.view(-1, 784)`, fed 32x32.

Family: product of sizes
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (1, 1, 32, 32)
TARGET = None
FIXED_INPUT = (1, 1, 28, 28)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc21, self.fc22 = nn.Linear(784, 20), nn.Linear(20, 4), nn.Linear(20, 4)
        self.fc3, self.fc4 = nn.Linear(4, 20), nn.Linear(20, 784)

    def encode(self, x):
        h = F.relu(self.fc1(x))
        return self.fc21(h), self.fc22(h)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        return mu + torch.randn_like(std) * std

    def forward(self, x):
        mu, logvar = self.encode(x.view(-1, 784))
        z = self.reparameterize(mu, logvar)
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mu, logvar


class Fixed(Net):
    pass


EXPECT = {'verdict': 'raises', 'where': [], 'fix': 'feed 28x28', 'observed': 'is invalid for input of size 1024'}
