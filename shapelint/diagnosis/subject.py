"""The module of a question, ready to run, with the places of its layers and what is right for it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from shapelint.diagnosis.intent import restored
from shapelint.diagnosis.output_padding import fixed
from shapelint.diagnosis.places import Places
from shapelint.diagnosis.samples import mixed_samples
from shapelint.facts.analysis import Intent
from shapelint.facts.contract import Contract, running
from shapelint.load import Loaded
from shapelint.request.options import Options
from shapelint.request.question import Question
from shapelint.size.sets import SizeSet
from shapelint.trace.explore import Exploration
from shapelint.trace.run import Subject, subject_for


def subject_of(loaded: Loaded, asked: Question, options: Options) -> Subject:
    """The module with the inputs of a question, ready to run."""
    return subject_for(loaded.module, asked.inputs, asked.symbols, method=options.method, train=options.train)


def built_places(loaded: Loaded) -> Places:
    """Where each layer was constructed, as far as that is known."""
    return Places(loaded)


def right_sizes(asked: Question, meaning: Intent, options: Options, contract: Contract) -> Any:
    """What a repair must bring about: that the model restores where that is meant, else that it runs.

    That it runs is not enough where it restores at all sizes at which it runs now, nor where samples are mixed.
    """

    @cache
    def restores() -> bool:
        return meaning.meant or (bool(contract.runs) and contract.runs <= contract.restores)

    def kept(found: Exploration, sizes: Mapping[str, int] | None) -> SizeSet:
        if not restores():
            return running(found.domain, found.regions)
        if sizes is None:
            return restored(found.domain, found.regions, asked, options.expect)
        expect = None if options.expect is None else options.expect.at(sizes)
        alone = asked.at(fixed(asked.inputs, sizes), found.domain.symbols)
        return restored(found.domain, found.regions, alone, expect)

    def right(found: Exploration, sizes: Mapping[str, int] | None) -> SizeSet:
        open_repair = found.domain.symbols != asked.symbols  # its values are symbols too
        mixed = None if open_repair else mixed_samples(found, found.regions, asked)
        return kept(found, sizes) if mixed is None else kept(found, sizes) - mixed.sizes

    return right
