"""VQ-VAE whose nearest codes come from an autograd.Function, behind in-place ReLUs.

Family: control, vector quantisation
"""
import torch
from torch import nn

INPUT = (1, 3, 32, 32)


class Nearest(torch.autograd.Function):
    @staticmethod
    def forward(ctx, inputs, codebook):
        flat = inputs.view(-1, codebook.size(1))
        distances = torch.addmm(codebook.pow(2).sum(1) + flat.pow(2).sum(1, keepdim=True), flat, codebook.t(), alpha=-2.0)
        _, indices = torch.min(distances, dim=1)
        ctx.mark_non_differentiable(indices)
        return torch.index_select(codebook, 0, indices).view_as(inputs), indices

    @staticmethod
    def backward(ctx, gradient, _):
        return gradient, None


class Net(nn.Module):
    def __init__(self, dim=4, codes=8):
        super().__init__()
        self.codebook = nn.Embedding(codes, dim)
        self.encoder = nn.Sequential(nn.Conv2d(3, dim, 4, 2, 1), nn.ReLU(True), nn.Conv2d(dim, dim, 4, 2, 1))
        self.decoder = nn.Sequential(nn.ReLU(True), nn.ConvTranspose2d(dim, dim, 4, 2, 1), nn.ReLU(True),
                                     nn.ConvTranspose2d(dim, 3, 4, 2, 1), nn.Tanh())

    def forward(self, x):
        z = self.encoder(x)
        codes, _ = Nearest.apply(z.permute(0, 2, 3, 1).contiguous(), self.codebook.weight)
        codes = codes.permute(0, 3, 1, 2).contiguous()
        return self.decoder(codes), z, codes


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 3, 32, 32)}
