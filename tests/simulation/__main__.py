"""`python -m tests.simulation --schedules N [--first-seed S]`: that many schedules, on all cores; what was wrong."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from tests.simulation.rules import RULES
from tests.simulation.schedules import Outcome, on_one_core, run

_AT_ONCE = 50
_SHOWN = 5


def give_way() -> None:
    """Whatever runs beside it goes first: threads that wake each other so often leave others a twentieth of a core.

    Linux shares a core between sessions before it looks at the niceness within one.
    """
    os.nice(10)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # no Linux, or one without groups by session
            Path("/proc/self/autogroup").write_text("19")


def main() -> int:
    """The exit code: 0 when every schedule ended right."""
    give_way()
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--without", choices=sorted(RULES), help="take one rule out: it should be found")
    given = parser.parse_args()
    started, counts, wrong, done = time.monotonic(), Counter[str](), list[Outcome](), 0
    pieces = [
        (seed, min(_AT_ONCE, given.first_seed + given.schedules - seed), given.without)
        for seed in range(given.first_seed, given.first_seed + given.schedules, _AT_ONCE)
    ]
    with multiprocessing.get_context("spawn").Pool(given.processes, on_one_core) as pool, suppress(KeyboardInterrupt):
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended early, it says what it has done
        for found, counted in pool.imap_unordered(run, pieces):
            done += _AT_ONCE
            counts += counted
            wrong += found
            for seed, faults in found:
                print(f"seed {seed}: {'; '.join(faults)}", flush=True)
    seconds = time.monotonic() - started
    for kind, count in sorted(counts.items()):
        print(f"{count:9,} {kind}")
    done = min(done, given.schedules)
    each_ms = 1000 * seconds * given.processes / max(1, done)
    print(f"{done:,} schedules in {seconds:,.0f} s, {each_ms:.0f} ms each on a core: {len(wrong)} wrong")
    for fault, count in Counter(fault for _, faults in wrong for fault in faults).most_common():
        seeds = [seed for seed, faults in sorted(wrong) if fault in faults]
        print(f"{count:9,} {fault}: seeds {', '.join(map(str, seeds[:_SHOWN]))}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
