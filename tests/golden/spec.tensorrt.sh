# TensorRT profile for Joined at N,3,H,W
# the model runs for: any N, H and W multiples of 4
# there is no largest N or H or W: this one is a choice; another: --sizes W=1..512
# a range cannot say that only these fit between its ends: H a multiple of 4, W a multiple of 4;
#   the size check of `shapelint spec --for python` refuses the others
# the file is that of `shapelint spec --for onnx`
trtexec --onnx=net.onnx \
  --minShapes=image:1x3x4x4 \
  --optShapes=image:1x3x256x256 \
  --maxShapes=image:8x3x1024x1024 \
  --saveEngine=net.plan
