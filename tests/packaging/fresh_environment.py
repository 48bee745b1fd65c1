"""A virtual environment that holds the wheel with some of its extras, and nothing of the checkout."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.architecture.source_tree import ROOT

_WITHIN_S = 600.0
_LOCKS_OF_EXTRAS = ("boosting.lock",)
"""Of extras that the environment of the checkout has not: they are large."""
# What would bring in the checkout, another environment or the settings of a real installation.
_NOT_PASSED_ON = ("PYTHON", "VIRTUAL_ENV", "MILLRACE_", "KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL", "COV")


class TrialError(Exception):
    """The installed product did something else than expected; the message holds its output."""


class FreshEnvironment:
    """`directory` is made; its `elsewhere` folder is where programs run: empty, and far from the checkout."""

    def __init__(self, directory: Path, wheel: Path, extras: Sequence[str]) -> None:
        self.directory, self.elsewhere = directory, directory / "elsewhere"
        self.elsewhere.mkdir(parents=True)
        self.bin = directory / "environment" / "bin"
        self._uv("venv", "--python", sys.executable, directory / "environment")
        names = f"[{','.join(extras)}]" if extras else ""
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        wanted = directory / "wanted.txt"
        wanted.write_text(f"millrace{names} @ {wheel.as_uri()} --hash=sha256:{digest}\n")
        # The lock file says which versions, and every one of them needs its hash from there.
        locks = [ROOT / name for name in ("requirements.lock", *_LOCKS_OF_EXTRAS)]
        self._uv(
            "pip",
            "install",
            "--python",
            self.bin / "python",
            "--require-hashes",
            "-r",
            wanted,
            *(each for lock in locks for each in ("-c", lock)),
        )

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment variables for programs: no server of the machine is named."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_PASSED_ON)}
        return {**kept, "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "REDIS_URL": "redis://127.0.0.1:1/0"}

    def run(
        self,
        program: str,
        *arguments: str | Path,
        exit_code: int = 0,
        without: Sequence[str] = (),
        also: Mapping[str, str] | None = None,
    ) -> str:
        """Run a program of the environment to its end; its output. Raises TrialError for any other exit code.

        without, also: environment variables.
        """
        command = [str(self.bin / program), *map(str, arguments)]
        done = subprocess.run(
            command,
            cwd=self.elsewhere,
            env={name: value for name, value in {**self.variables, **(also or {})}.items() if name not in without},
            capture_output=True,
            text=True,
            timeout=_WITHIN_S,
            check=False,
        )
        said = done.stdout + done.stderr
        if done.returncode != exit_code:
            shown = " ".join([program, *map(str, arguments)])
            raise TrialError(f"{shown} ended with exit code {done.returncode}, not {exit_code}. It said:\n{said}")
        if "Traceback" in said:
            raise TrialError(f"{' '.join(command)} showed a traceback:\n{said}")
        return said

    def _uv(self, *arguments: str | Path) -> None:
        done = subprocess.run(["uv", *arguments], capture_output=True, text=True, timeout=_WITHIN_S, check=False)
        if done.returncode:
            raise TrialError(f"uv {' '.join(map(str, arguments))} failed. It said:\n{done.stdout}{done.stderr}")
