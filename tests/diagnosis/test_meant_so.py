"""Right models, as people write them, with a layer that no other is like: nothing is said of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnosis.test_at_fault import report
from tests.diagnosis.test_unlike_all_others import DISCRIMINATOR, GENERATOR, VIDEO, WHOLE

PATCHES = """
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(8, 8, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(8, 8, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(8, 8, 4, 1, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(8, 1, 4, 1, 1))

    def forward(self, x):
        return self.layers(x).view({})
"""

JUDGED = """
    def __init__(self):
        super().__init__()
        self.e1, self.e2, self.e3 = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1)
        self.mix = nn.Conv2d(16, 3, 3, 1, 1)
        self.judge = nn.Sequential(nn.Conv2d(3, 8, 4, 2, 1), nn.Conv2d(8, 8, 4, 2, 1), nn.Conv2d(8, 1, 4, 1, 1))

    def forward(self, x):
        fine = self.e2(F.relu(self.e1(x)))
        y = self.mix(torch.cat([fine, F.interpolate(self.e3(fine), scale_factor=2)], 1))
        return y, self.judge(y)
"""

SHALLOW = """
    def __init__(self):
        super().__init__()
        self.a1, self.a2, self.b1 = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3)
        self.b2, self.d1, self.d2 = nn.Conv2d(4, 4, 3), nn.Conv2d(8, 4, 3), nn.Conv2d(4, 4, 3)
        self.up = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(4, 4, 2))

    def forward(self, x):
        a = self.a2(self.a1(x))
        y = self.up(self.b2(self.b1(F.max_pool2d(a, 2))))
        off = (a.shape[2] - y.shape[2]) // 2
        return self.d2(self.d1(torch.cat([a[:, :, off:off + y.shape[2], off:off + y.shape[3]], y], 1)))
"""

LARGER = """
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 7, 2, 3), nn.Conv2d(8, 8, 4, 2, 1), nn.Conv2d(8, 8, 4, 2, 1),
            nn.ConvTranspose2d(8, 8, 4, 2, 1), nn.ConvTranspose2d(8, 8, 4, 2, 1), nn.ConvTranspose2d(8, 3, 8, 4, 2))

    def forward(self, x):
        return self.layers(x)
"""

TURNED = """
    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Conv2d(1, 4, (1, 3), (1, 2)), nn.ConvTranspose2d(4, 1, (1, 3), (1, 2))

    def forward(self, x):
        return self.up(F.elu(self.down(x.permute(0, 1, 3, 2)))).permute(0, 1, 3, 2)
"""

VOCODER = """
    def __init__(self):
        super().__init__()
        self.context, self.smooth, self.post = nn.Conv1d(8, 8, 3), nn.Conv1d(8, 8, 9, padding=4), nn.Conv1d(1, 8, 1)

    def forward(self, z, c):
        c = self.smooth(F.interpolate(self.context(c), scale_factor=320))
        return self.post(z) + c
"""

CLIP = """
    def __init__(self):
        super().__init__()
        self.first, self.mix = nn.Conv3d(3, 8, 3, 1, 1), nn.Conv3d(8, 8, 3, 1, (0, 1, 1))
        self.up = nn.ConvTranspose3d(8, 3, (1, 4, 4), (1, 2, 2), (0, 1, 1))

    def forward(self, x):
        return self.up(self.mix(self.first(x)))
"""

RESAMPLED = """
    def __init__(self):
        super().__init__()
        self.down, self.deeper = nn.Conv1d(1, 8, 4, 2, 1), nn.Conv1d(8, 8, 4, 2, 1)
        self.up, self.last = nn.ConvTranspose1d(8, 8, {step}, {step}), nn.ConvTranspose1d(8, 1, {step}, {step})

    def forward(self, x):
        return self.last(F.relu(self.up(F.relu(self.deeper(F.relu(self.down(x)))))))
"""

FORWARD = """
    def forward(self, x):
        return self.net(x)
"""

SPECTRUM = """
    def __init__(self, size=512):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv1d(1, 8, size, stride=size // 2, padding=size // 2), nn.Conv1d(8, 8, 3, padding=1), nn.ReLU(),
            nn.Conv1d(8, 1, 3, padding=1))
""" + FORWARD

FEATURES = """
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            *[nn.Sequential(nn.Conv2d(i, 8, 3, {}), nn.ReLU()) for i in (3, 8)], nn.Conv2d(8, 8, 3, padding=1), {})
""" + FORWARD

READER = """
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv1d(8, 8, 48, stride=2, padding=23), *[nn.Conv1d(8, 8, 7, padding=3) for _ in range(3)],
            nn.Conv1d(8, 8, 32, padding=16), nn.Conv1d(8, 8, 1))
""" + FORWARD

STEM = """
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv1d(1, 8, 25, stride=5, padding=12), nn.ReLU(),
            *[nn.Sequential(nn.Conv1d(8, 8, 7, stride=2, padding=3), nn.ReLU()) for _ in range(3)])
""" + FORWARD

FRAMES = VIDEO.replace("4, 8, 4,", "4, 8, (3, 4, 4),").replace("8, 4, 4,", "8, 4, (3, 4, 4),")
DEEPER = GENERATOR.replace("8, 3, {})", "8, 8, 4, 2, 1), nn.ConvTranspose2d(8, 3, {})")
DEEPER = DEEPER.replace("self.up4 = ", "self.up4, self.up5 = ").replace("self.up4(self", "self.up5(self.up4(self") + ")"


@pytest.mark.parametrize(
    ("source", "specs"),
    [
        (PATCHES.format("-1"), ["2,3,32,32"]),  # four patches of a small picture
        (PATCHES.format("-1, 1"), ["1,3,32,32"]),
        (JUDGED, ["1,3,256,256"]),  # the patches of a map of features
        (DEEPER.format("4, 1, 1", WHOLE), ["2,8,1,1"]),  # 80x80 from 5x5
        (SHALLOW, ["1,1,92,92"]),  # the first U-Net goes up by a convolution of 2
        (FRAMES.format("(2, 2, 2)", "(1, 2, 2)", "(1, 2, 2)"), ["1,3,16,64,64"]),  # half of the frames
        (CLIP, ["1,3,8,64,64"]),  # the frames that have two neighbours
        (LARGER, ["1,3,64,64"]),  # twice the picture
        (DISCRIMINATOR.replace("4, 2, 1", "3, 2, 1").format("3, 2, 0", 1, ""), ["1,3,98,98"]),  # 24 of 49
        (TURNED, ["1,1,161,64"]),  # a spectrum whose axes are swapped, and swapped back
        (VOCODER, ["1,1,3200", "1,8,12"]),  # a frame of context on both sides
        (RESAMPLED.format(step=3), ["1,1,64"]),  # 9 samples of 4
        (SPECTRUM, ["1,1,16384"]),  # frames around every half a window, both ends included
        (FEATURES.format("2, 1", "nn.Conv2d(8, 8, 2)"), ["1,3,48,48"]),  # a small map, seen two by two
        (READER, ["1,8,800"]),  # 401 steps: half of an even kernel adds one
        (STEM, ["1,1,1024"]),  # a stem has a step of its own
    ],
)
def test_a_layer_may_be_meant_as_it_is(tmp_path: Path, source: str, specs: list[str]) -> None:
    assert not [each for each in report(tmp_path, source, *specs).findings if each.severity.name != "NOTE"]
