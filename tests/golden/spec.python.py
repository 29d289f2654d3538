# The sizes of Joined at N,3,H,W, found by shapelint; needs no package.


def fits(N, H, W):
    """Whether the model gives back the size it took at a size: any N, H and W multiples of 4."""
    return (
        4*(W//4) - W == 0 and 4*(H//4) - H == 0 and N - 1 >= 0 and H - 4 >= 0 and W - 4 >= 0
    )


def check_size(N, H, W):
    """Raises ValueError with the nearest sizes where the model is not to be given a size."""
    if fits(N, H, W):
        return
    near = [size for size in (_nearest((N, H, W), -1), _nearest((N, H, W), 1)) if size]
    advice = "; the nearest are " + " and ".join("x".join(map(str, size)) for size in near) if near else ""
    given = "x".join(map(str, (N, H, W)))
    raise ValueError(given + " does not fit: any N, H and W multiples of 4" + advice)


def _nearest(size, sign, most=100000):
    """The size at most (sign -1) or at least (1) as large on each axis with the smallest sum of distances, or None."""
    tried = 0
    for total in range(sum(size) if sign < 0 else most):
        for steps in _splits(total, len(size)):
            near = tuple(each + sign * step for each, step in zip(size, steps))
            if min(near) >= 1 and fits(*near):
                return near
            tried += 1
            if tried == most:
                return None
    return None


def _splits(total, count):
    """All ways to write a number as a sum of so many."""
    if count == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _splits(total - first, count - 1):
            yield (first, *rest)


def padded_size(H, W):
    """A size that is at least as large on each axis, at which the model gives back the size it took."""
    return (max(4, 4 - (4 - H) // 4 * 4), max(4, 4 - (4 - W) // 4 * 4))


def run_padded(run, array):
    """What `run` gives for a numpy array of any size: zeros are added at the end of the last axes, and cropped after.

    That the sizes fit is proved; the values near the end of the array depend on the zeros.
    """
    import numpy

    H, W = array.shape[-2:]
    to = padded_size(H, W)
    padding = [(0, 0)] * (array.ndim - 2) + [(0, to[0] - H), (0, to[1] - W)]
    return run(numpy.pad(array, padding))[..., :H, :W]
