"""XGBoost, LightGBM and CatBoost for the tests that need them, or a loud line that says what was not tested.

They are 700 MB and no part of the locked environment. Their own lock file, `boosting.lock`, says what is installed, by
its hashes, beside the environment: once, for all processes that run tests.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT
from tests.end_to_end.brokers import NOT_TESTED

LOCK = ROOT / "boosting.lock"
_WITHIN_S = 900.0
_NOT_NEEDED = ("nvidia-",)
"""What XGBoost needs on a graphics card."""


def boosting_libraries() -> Path:
    """The folder that is to be on the path. Skips the test where they cannot be installed."""
    wanted = "".join(_wanted())
    folder = Path(sys.prefix) / "boosting" / hashlib.sha256(wanted.encode()).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            _install(folder, wanted)
    return folder / "site-packages"


def _install(folder: Path, wanted: str) -> None:
    (folder / "wanted.txt").write_text(wanted)
    command = ["uv", "pip", "install", "--quiet", "--python", sys.executable, "--no-deps", "--require-hashes"]
    command += ["--target", str(folder / "site-packages"), "--requirements", str(folder / "wanted.txt")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_WITHIN_S, check=False)
    if done.returncode:
        NOT_TESTED.append(f"XGBoost, LightGBM and CatBoost: {' '.join(done.stderr.split())[-300:]}")
        pytest.skip(NOT_TESTED[-1])
    (folder / "complete").touch()


def _wanted() -> list[str]:
    """What the environment lacks, as the lock file has it with its hashes."""
    locked = {_name(each) for each in _blocks((ROOT / "requirements.lock").read_text())}
    return [each for each in _blocks(LOCK.read_text()) if _name(each) not in locked and not _is_not_needed(each)]


def _blocks(lock: str) -> list[str]:
    return [each for each in re.split(r"^(?=[^\s#])", lock, flags=re.MULTILINE) if each[0] not in "# \n"]


def _name(block: str) -> str:
    return block.partition("==")[0]


def _is_not_needed(block: str) -> bool:
    return block.startswith(_NOT_NEEDED)
