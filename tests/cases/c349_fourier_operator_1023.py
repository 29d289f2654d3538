"""A Fourier neural operator on 1023 points: the spectrum is written into zeros, and irfft gives 1022 points back.

Source: in the style of threads on FNO grids of odd size
Family: spectral convolution beside a pointwise one, irfft without n=
"""
import torch
import torch.nn.functional as F
from torch import nn

INPUT = (2, 1, 1023)


class SpectralConv1d(nn.Module):
    told = False

    def __init__(self, i, o, modes):
        super().__init__()
        self.o, self.modes = o, modes
        self.weights = nn.Parameter(torch.rand(i, o, modes, dtype=torch.cfloat) / (i * o))

    def forward(self, x):
        ft = torch.fft.rfft(x)
        out = torch.zeros(x.shape[0], self.o, x.size(-1) // 2 + 1, device=x.device, dtype=torch.cfloat)
        out[:, :, :self.modes] = torch.einsum("bix,iox->box", ft[:, :, :self.modes], self.weights)
        return torch.fft.irfft(out, n=x.size(-1)) if self.told else torch.fft.irfft(out)


class Net(nn.Module):
    kind = SpectralConv1d

    def __init__(self, modes=16, width=8):
        super().__init__()
        self.fc0 = nn.Conv1d(1, width, 1)
        self.convs = nn.ModuleList(self.kind(width, width, modes) for _ in range(2))
        self.ws = nn.ModuleList(nn.Conv1d(width, width, 1) for _ in range(2))
        self.fc1 = nn.Conv1d(width, 1, 1)

    def forward(self, x):
        x = self.fc0(x)
        for c, w in zip(self.convs, self.ws):
            x = F.gelu(c(x) + w(x))
        return self.fc1(x)


class Told(SpectralConv1d):
    told = True


class Fixed(Net):
    kind = Told


EXPECT = {
    'verdict': 'raises',
    'where': ['convs.0', '`irfft` gives back 1022 where `rfft` took 1023'],
    'fix': 'n=x.size(-1) in irfft',
    'fix_kind': 'argument', 'fix_origin': 'obvious',
    'observed': 'The size of tensor a (1022) must match the size of tensor b (1023)',
}
