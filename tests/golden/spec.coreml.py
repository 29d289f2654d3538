# Core ML shapes for Joined at N,3,H,W
# the model runs for: any N, H and W multiples of 4
# there is no largest H or W: this one is a choice; another: --sizes W=1..512
# a RangeDim has no step, so some of the sizes are enumerated; Core ML takes up to 128 shapes
# the batch is held at its smallest size
import coremltools as ct

inputs = [
    ct.TensorType(
        name="image",
        shape=ct.EnumeratedShapes(
            shapes=[(N, 3, H, W) for N in [1] for H in range(4, 1025, 104) for W in range(4, 1025, 104)],
            default=(1, 3, 212, 212),
        )
    ),
]
# model = ct.convert(torch.jit.trace(net, args), inputs=inputs, convert_to='mlprogram')
