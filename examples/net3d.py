"""An autoencoder of 3-D scans, 155 slices of 240x240: every axis needs another output_padding."""

from torch import Tensor, nn
from torch.nn.functional import relu


# shapelint: input=1,4,155,240,240
class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down1 = nn.Conv3d(4, 16, 3, stride=2, padding=1)
        self.down2 = nn.Conv3d(16, 32, 3, stride=2, padding=1)
        self.up1 = nn.ConvTranspose3d(32, 16, 3, stride=2, padding=1)
        self.up2 = nn.ConvTranspose3d(16, 4, 3, stride=2, padding=1)

    def forward(self, scan: Tensor) -> Tensor:
        code = relu(self.down2(relu(self.down1(scan))))
        return self.up2(relu(self.up1(code)))
