"""Libraries that long tests need and the environment has not: large ones, each set with a lock file of its own.

The lock file says what is installed, by its hashes, beside the environment: once, for all processes that run tests.
Where that does not work, the test is skipped, and a loud line says what was not tested.
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

_WITHIN_S = 900.0


def libraries_apart(
    lock: str, what: str, not_needed: tuple[str, ...] = (), *, in_its_own_process: bool = False
) -> Path:
    """The folder that is to be on the path. lock: a file of the checkout. not_needed: names that begin so.

    in_its_own_process: with what the environment has too, perhaps in other versions.
    """
    wanted = "".join(_wanted(lock, not_needed, in_its_own_process))
    folder = Path(sys.prefix) / "apart" / f"{Path(lock).stem}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            _install(folder, wanted, what)
    return folder / "site-packages"


def _install(folder: Path, wanted: str, what: str) -> None:
    (folder / "wanted.txt").write_text(wanted)
    command = ["uv", "pip", "install", "--quiet", "--python", sys.executable, "--no-deps", "--require-hashes"]
    command += ["--target", str(folder / "site-packages"), "--requirements", str(folder / "wanted.txt")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_WITHIN_S, check=False)
    if done.returncode:
        NOT_TESTED.append(f"{what}: {' '.join(done.stderr.split())[-300:]}")
        pytest.skip(NOT_TESTED[-1])
    (folder / "complete").touch()


def _wanted(lock: str, not_needed: tuple[str, ...], every: bool) -> list[str]:
    """What the environment lacks, or every library, as the lock file has it with its hashes."""
    locked = set() if every else {_name(each) for each in _blocks((ROOT / "requirements.lock").read_text())}
    blocks = _blocks((ROOT / lock).read_text())
    return [each for each in blocks if _name(each) not in locked and not each.startswith(not_needed or ("\0",))]


def _blocks(lock: str) -> list[str]:
    return [each for each in re.split(r"^(?=[^\s#])", lock, flags=re.MULTILINE) if each[0] not in "# \n"]


def _name(block: str) -> str:
    return block.partition("==")[0]
