"""What a layer of torch checks in Python before it calls its function, left to the size rule of that function.

The rule tells which number is wrong, in which layer, and lets a repair change it; an error of Python is only text.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident

from torch import Tensor, nn

from shapelint.source.fault import call_foreign


@contextmanager
def left_to_the_rules() -> Iterator[None]:
    """While it is open, recurrent layers count neither the features of a batch of sequences in this thread, nor how
    many sequences were packed.
    """
    real, real_arguments, thread = nn.RNNBase.check_input, nn.RNNBase.check_forward_args, get_ident()

    def check_input(self: nn.RNNBase, input: Tensor, batch_sizes: Tensor | None) -> None:
        known = batch_sizes is None and input.dim() == 3 and input.dtype == self.weight_ih_l0.dtype
        if not known or get_ident() != thread:
            call_foreign(real, self, input, batch_sizes)

    def check_forward_args(self: nn.RNNBase, input: Tensor, hidden: Tensor, batch_sizes: Tensor | None) -> None:
        layers = self.num_layers * (2 if self.bidirectional else 1)
        known = batch_sizes is not None and hidden.dim() == 3 and hidden.shape[::2] == (layers, self.hidden_size)
        if not known or get_ident() != thread:
            call_foreign(real_arguments, self, input, hidden, batch_sizes)

    nn.RNNBase.check_input = check_input  # type: ignore[method-assign]
    nn.RNNBase.check_forward_args = check_forward_args  # type: ignore[method-assign]
    try:
        yield
    finally:
        nn.RNNBase.check_input = real  # type: ignore[method-assign]
        nn.RNNBase.check_forward_args = real_arguments  # type: ignore[method-assign]
