"""The calls of PyTorch's own test data: each trial is one operator in one form and dtype, or one module.

As many trials as there are of these ask about each once; further ones draw other samples and other sizes.
"""

from __future__ import annotations

import random
import warnings

from benchmarks.prove.trial import Trial
from tests.operations import Contradiction
from tests.torch_claims import claims, forms
from tests.torch_data import sources

_SAMPLES = 3


def trial(seed: int) -> Trial:
    """The samples of one operator or module, each in all forms."""
    drawn = random.Random(seed)
    source = sources()[seed % len(sources())]
    checks, undecided, found = 0, 0, []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in source.cases(_SAMPLES, drawn):
            for form in forms(case, drawn):
                try:
                    made = claims(case, form, drawn)
                except Contradiction as error:
                    found.append(f"torch, trial {seed} ({source.name}): {error.kind}: {case.text} of {form}: {error}")
                else:
                    checks += made.runs + made.raises
                    undecided += made.silent
    return Trial(checks, tuple(found), undecided)
