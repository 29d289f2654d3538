# OpenVINO shapes for Joined at N,3,H,W
# the model runs for: any N, H and W multiples of 4
# a range cannot say that only these fit between its ends: H a multiple of 4, W a multiple of 4;
#   the size check of `shapelint spec --for python` refuses the others
from openvino import Dimension, PartialShape

shapes = {
    "image": PartialShape([Dimension(1, -1), 3, Dimension(4, -1), Dimension(4, -1)]),
}
# model = openvino.Core().read_model('net.onnx'); model.reshape(shapes)
