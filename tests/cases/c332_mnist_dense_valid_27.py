"""MNIST autoencoder of valid k3 s2 convolutions with a dense middle: 28, 13, 6 and 6, 13, 27.

Family: autoencoder, Linear between the halves
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (4, 1, 28, 28)


class Net(nn.Module):
    op = 0

    def __init__(self, latent=4):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, stride=2)
        self.conv2 = nn.Conv2d(4, 8, 3, stride=2)
        self.to_latent = nn.Linear(8 * 6 * 6, latent)
        self.from_latent = nn.Linear(latent, 8 * 6 * 6)
        self.unflatten = nn.Unflatten(1, (8, 6, 6))
        self.deconv1 = nn.ConvTranspose2d(8, 4, 3, stride=2)
        self.deconv2 = nn.ConvTranspose2d(4, 1, 3, stride=2, output_padding=self.op)

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        z = self.to_latent(torch.flatten(x, start_dim=1))
        x = self.unflatten(F.relu(self.from_latent(z)))
        return torch.sigmoid(self.deconv2(F.relu(self.deconv1(x))))


class Fixed(Net):
    op = 1


EXPECT = {
    'verdict': 'mismatch-output', 'where': ['deconv2'], 'fix': {'deconv2.output_padding': 1}, 'observed': (4, 1, 27, 27),
}
