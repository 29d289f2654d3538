# ONNX for Joined at N,3,H,W, tried with torch VERSION and onnxruntime VERSION
# the file gives the sizes of the model for: any N, H and W multiples of 4
#   onnxruntime ran it at 39 of these; at 4 the values were compared with PyTorch
import torch
from torch.export import Dim

n = Dim("n", min=1)
h = Dim("h", min=2)  # H = 4*h
w = Dim("w", min=2)  # W = 4*w
args = (torch.rand(2, 3, 160, 164),)
kwargs = {}
dynamic_shapes = {'image': {0: n, 2: 4*h, 3: 4*w}}


def export(net, file):
    """Writes the model, which is in eval mode, as an ONNX file with open sizes."""
    torch.onnx.export(
        net, args, file, kwargs=kwargs, input_names=['image'],
        dynamic_shapes=dynamic_shapes, opset_version=20, dynamo=True, verbose=False,
    )
