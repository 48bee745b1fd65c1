"""A process of steps ends with the one that asks it, even before it has loaded anything."""

from __future__ import annotations

import subprocess
import sys


def test_a_worker_whose_asker_is_gone_ends_before_its_libraries_are_loaded() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "training.runs.step_worker"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "queue" in loaded
    assert "shared_features.definitions" not in loaded
