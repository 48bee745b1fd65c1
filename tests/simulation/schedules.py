"""Many schedules, one after another: those that ended wrong, and how often everything happened."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
from collections import Counter
from contextlib import nullcontext

import structlog

from tests.simulation.rules import RULES
from tests.simulation.world import World

Outcome = tuple[int, list[str]]
"""A seed, and what was wrong."""


def on_one_core() -> None:
    """The baton is handed over far quicker on one core; and the product says nothing of what befalls it."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        number = multiprocessing.current_process()._identity[0]  # counts from 1
        os.sched_setaffinity(0, {cores[number % len(cores)]})
    be_silent()
    gc.collect()
    gc.freeze()  # the product and its libraries: looking through them took a tenth of every schedule
    gc.set_threshold(20_000, 20, 20)


def be_silent() -> None:
    """Nothing the product logs of faults is shown: there are thousands."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        logger_factory=structlog.ReturnLoggerFactory(),
    )


def run(piece: tuple[int, int, str | None]) -> tuple[list[Outcome], Counter[str]]:
    first, count, without = piece
    wrong, counts = list[Outcome](), Counter[str]()
    with RULES[without]() if without else nullcontext():
        for seed in range(first, first + count):
            world = World(seed)
            if faults := world.run():
                wrong.append((seed, faults))
            counts += world.chances.counts
    return wrong, counts


def first_found(rule: str, most: int, first_seed: int = 0) -> tuple[int, list[str]] | None:
    """How many schedules it took to find that a rule is missing, and what was wrong; None: it was not found."""
    be_silent()
    with RULES[rule]():
        for seed in range(first_seed, first_seed + most):
            if faults := World(seed).run():
                return seed - first_seed + 1, faults
    return None
