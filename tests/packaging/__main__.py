"""`./run package`: build the wheel, install it with each extra alone and with all, and try each installation.

The versions and hashes are those of requirements.lock. It ends with 0 when all installations pass their trial, else 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from deploy.embedded.errors import EmbeddedError
from tests.packaging.fresh_environment import FreshEnvironment, TrialError
from tests.packaging.trials import TRIALS
from tests.packaging.wheel import build_wheel


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run package", description=__doc__)
    parser.add_argument("--wheels", type=Path, metavar="DIR", help="keep the wheel there (default: it is not kept)")
    options = parser.parse_args()
    began_s = time.monotonic()
    failed = []
    with tempfile.TemporaryDirectory(prefix="millrace-package-") as name:
        directory = Path(name)
        wheel = build_wheel(directory / "wheel")
        print(f"built {wheel.name} in {time.monotonic() - began_s:.1f} s", flush=True)
        for extras, trial in TRIALS:
            shown = f"[{','.join(extras)}]" if extras else "no extra"
            trial_s = time.monotonic()
            try:
                trial(FreshEnvironment(directory / ("-".join(extras) or "none"), wheel, extras))
            except (TrialError, EmbeddedError) as error:
                failed.append(shown)
                print(f"{shown} FAILED after {time.monotonic() - trial_s:.1f} s: {error}", flush=True)
            else:
                print(f"{shown} passed in {time.monotonic() - trial_s:.1f} s", flush=True)
        if options.wheels is not None:
            options.wheels.mkdir(parents=True, exist_ok=True)
            wheel.replace(options.wheels / wheel.name)
    verdict = f"FAILED: {', '.join(failed)}" if failed else f"all {len(TRIALS)} installations passed"
    print(f"{verdict}, {time.monotonic() - began_s:.0f} s in all")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
