# torch.export for Net at N,3,H,W, tried with torch VERSION
# the program takes: any N, H and W multiples of 16 from 32
# left out, though the model runs there: H only 16; or W only 16
#   with any N, H and W multiples of 16: at 1x16x16 the program refuses: Guard failed: image.size()[3] // 16 != 1
import torch
from torch.export import Dim

n = Dim("n", min=1)
h = Dim("h", min=2)  # H = 16*h
w = Dim("w", min=2)  # W = 16*w
args = (torch.rand(2, 3, 160, 176),)
kwargs = {}
dynamic_shapes = {'image': {0: n, 2: 16*h, 3: 16*w}}
# program = torch.export.export(net, args, kwargs, dynamic_shapes=dynamic_shapes)
