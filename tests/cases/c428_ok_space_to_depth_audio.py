"""1-D space to depth by view (with a pad to even), a body, and back, at 99 samples.

Family: control, views that change sizes
"""
import torch.nn.functional as F
from torch import nn

INPUT = (2, 1, 99)


class Net(nn.Module):
    def __init__(self, c=4):
        super().__init__()
        self.body = nn.Sequential(nn.Conv1d(2, c, 9, padding=4), nn.ReLU(), nn.Conv1d(c, 2, 9, padding=4))

    def forward(self, x):
        n = x.shape[-1]
        x = F.pad(x, (0, -n % 2))
        b, c, length = x.shape
        x = x.view(b, c, length // 2, 2).permute(0, 1, 3, 2).reshape(b, 2 * c, length // 2)
        x = self.body(x)
        x = x.view(b, c, 2, length // 2).transpose(2, 3).reshape(b, c, length)
        return x[..., :n]


EXPECT = {'verdict': 'ok', 'where': [], 'fix': None, 'observed': (2, 1, 99)}
