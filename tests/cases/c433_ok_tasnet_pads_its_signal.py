"""Conv-TasNet that pads its signal to whole frames and cuts the rest off again, at 16001 samples.

Family: control, source separation
"""
import torch
from torch import nn

INPUT = (1, 1, 16001)


class Net(nn.Module):
    def __init__(self, n=4, window=20):
        super().__init__()
        self.n, self.win, self.stride = n, window, window // 2
        self.encoder = nn.Conv1d(1, n, window, bias=False, stride=self.stride)
        self.mask = nn.Sequential(nn.GroupNorm(1, n), nn.Conv1d(n, 2 * n, 3, padding=1), nn.Sigmoid())
        self.decoder = nn.ConvTranspose1d(n, 1, window, bias=False, stride=self.stride)

    def pad_signal(self, x):
        batch, length = x.size(0), x.size(2)
        rest = self.win - (self.stride + length % self.win) % self.win
        if rest > 0:
            x = torch.cat([x, torch.zeros(batch, 1, rest).type(x.type())], 2)
        around = torch.zeros(batch, 1, self.stride).type(x.type())
        return torch.cat([around, x, around], 2), rest

    def forward(self, x):
        padded, rest = self.pad_signal(x)
        encoded = self.encoder(padded)
        masked = encoded.unsqueeze(1) * self.mask(encoded).view(x.size(0), 2, self.n, -1)
        out = self.decoder(masked.view(x.size(0) * 2, self.n, -1))
        return out[:, :, self.stride:-(rest + self.stride)].contiguous().view(x.size(0), 2, -1)


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (1, 2, 16001)}
