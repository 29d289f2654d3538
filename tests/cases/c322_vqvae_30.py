"""VQ-VAE with two k4 s2 p1 stages on 30x30: 15 becomes 7, 28 comes back.

Family: VQ-VAE
The codebook look-up flattens to vectors and views back.
"""
from torch import nn

INPUT = (2, 3, 30, 30)


class Quantizer(nn.Module):
    def __init__(self, count=16, dim=4):
        super().__init__()
        self.embedding = nn.Embedding(count, dim)

    def forward(self, z):
        z = z.permute(0, 2, 3, 1).contiguous()
        flat = z.view(-1, z.shape[-1])
        distance = flat.pow(2).sum(1, keepdim=True) + self.embedding.weight.pow(2).sum(1) - 2 * flat @ self.embedding.weight.t()
        quantized = self.embedding(distance.argmin(1)).view(z.shape)
        return (z + (quantized - z).detach()).permute(0, 3, 1, 2).contiguous()


class Net(nn.Module):
    op = 0

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(3, 8, 4, 2, 1), nn.ReLU(), nn.Conv2d(8, 4, 4, 2, 1))
        self.quantizer = Quantizer()
        self.decoder = nn.Sequential(nn.ConvTranspose2d(4, 8, 4, 2, 1, output_padding=self.op), nn.ReLU(),
                                     nn.ConvTranspose2d(8, 3, 4, 2, 1))

    def forward(self, x):
        return self.decoder(self.quantizer(self.encoder(x)))


class Fixed(Net):
    op = 1


EXPECT = {
    'verdict': 'mismatch-output', 'where': ['decoder.0'], 'fix': {'decoder.0.output_padding': 1},
    'observed': (2, 3, 28, 28),
}
