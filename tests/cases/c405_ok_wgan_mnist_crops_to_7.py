"""WGAN-GP's MNIST generator: the crop to 7x7 looks like a mistake and makes 28.

Family: control, generator with a crop
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (2, 128)
TARGET = (28, 28)


class Net(nn.Module):
    def __init__(self, dim=2):
        super().__init__()
        self.dim = dim
        self.preprocess = nn.Linear(128, 4 * 4 * 4 * dim)
        self.block1 = nn.ConvTranspose2d(4 * dim, 2 * dim, 5)
        self.block2 = nn.ConvTranspose2d(2 * dim, dim, 5)
        self.deconv_out = nn.ConvTranspose2d(dim, 1, 8, stride=2)

    def forward(self, noise):
        output = F.relu(self.preprocess(noise)).view(-1, 4 * self.dim, 4, 4)
        output = F.relu(self.block1(output))
        output = output[:, :, :7, :7]
        output = F.relu(self.block2(output))
        return torch.sigmoid(self.deconv_out(output)).view(-1, 1, 28, 28)


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (2, 1, 28, 28)}
