"""A convolution and the layer that is to undo it: 6x6 goes in, 5x5 comes back."""

from torch import Tensor, nn


# shapelint: input=1,3,6,6
class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.deconv = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        return self.deconv(self.conv(image))
