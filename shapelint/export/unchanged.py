"""What a run may change and must give back: the module's state and the random numbers of the process."""

from __future__ import annotations

import contextlib
import copy
import pickle
import random
from collections import OrderedDict
from collections.abc import Iterator

import numpy.random
import torch

from shapelint.load.state import Drawn, refill

_CONTAINERS = (dict, OrderedDict, list, set)


@contextlib.contextmanager
def unchanged(module: torch.nn.Module) -> Iterator[None]:
    """Gives back every attribute, hook, mode and buffer value of the module and of those in it.

    Containers are refilled in place, because the handle of a hook holds the very dict.
    """
    attributes = [(vars(part), dict(vars(part))) for part in module.modules()]
    containers = [
        (value, copy.copy(value)) for _, held in attributes for value in held.values() if type(value) in _CONTAINERS
    ]
    buffers = [(buffer, buffer.clone()) for buffer in module.buffers()]
    try:
        yield
    finally:
        for container, content in (*containers, *attributes):
            refill(container, content)
        for buffer, value in buffers:
            if not torch.equal(buffer, value):
                with torch.no_grad():
                    buffer.copy_(value)


@contextlib.contextmanager
def same_random_numbers() -> Iterator[None]:
    """Gives back the state of the random generators of torch (CPU), Python and numpy."""
    drawn = Drawn()
    try:
        yield
    finally:
        drawn.give_back()


def seed(number: int) -> bytes:
    """Seeds torch (CPU), Python and numpy, and gives the fingerprint of that state."""
    torch.default_generator.manual_seed(number)
    random.seed(number)
    numpy.random.seed(number)
    return random_fingerprint()


def random_fingerprint() -> bytes:
    """A text that changes when any of the three generators gives a number."""
    states = torch.get_rng_state().numpy().tobytes(), random.getstate(), numpy.random.get_state()
    return pickle.dumps(states)
