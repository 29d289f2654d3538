"""MNIST VAE with a dense middle, sized right: 28, 14, 7, flat, 7, 14, 28.

Family: control, Linear between the halves
"""
import torch
from torch import nn

INPUT = (4, 1, 28, 28)


class Net(nn.Module):
    def __init__(self, latent=4):
        super().__init__()
        self.enc = nn.Sequential(nn.Conv2d(1, 4, 4, 2, 1), nn.ReLU(), nn.Conv2d(4, 8, 4, 2, 1), nn.ReLU(), nn.Flatten())
        self.mu, self.logvar = nn.Linear(392, latent), nn.Linear(392, latent)
        self.dec = nn.Sequential(nn.Linear(latent, 392), nn.ReLU(), nn.Unflatten(1, (8, 7, 7)),
                                 nn.ConvTranspose2d(8, 4, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(4, 1, 4, 2, 1), nn.Sigmoid())

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        return mu + torch.randn_like(std) * std

    def forward(self, x):
        h = self.enc(x)
        mu, logvar = self.mu(h), self.logvar(h)
        return self.dec(self.reparameterize(mu, logvar)), mu, logvar


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (4, 1, 28, 28)}
