"""The job's instances: `python -m streaming run`, each with the processes that it supervises, some of them zombies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.processes.background_process import BackgroundProcess
from tests.end_to_end.job import ROOT


@dataclass(frozen=True)
class Process:
    """One process of an instance: its dataflow ("supervisor" for the one above them) and its id."""

    name: str
    pid: int

    def signal(self, number: signal.Signals) -> None:
        """Harmless when it has ended."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)


class Instance:
    """One `python -m streaming run`, or one dataflow alone."""

    def __init__(
        self, folder: Path, name: str, environment: Mapping[str, str], *, workers: int = 1, only: str | None = None
    ) -> None:
        self.name = name
        arguments = ["--only", only] if only else ["--workers", str(workers)]
        self.child = BackgroundProcess(
            [sys.executable, "-m", "streaming", "run", *arguments],
            log=folder / f"{name}.log",
            cwd=ROOT,
            environment=environment,
        )

    def processes(self) -> list[Process]:
        """The supervisor, then the dataflows that run now, by name."""
        listed = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(self.child.pid)], capture_output=True, text=True, check=False
        )
        found = []
        for line in listed.stdout.splitlines():
            pid, _, command = line.strip().partition(" ")
            if " --only " in command:
                found.append(Process(command.split(" --only ")[1].split()[0], int(pid)))
        found.sort(key=lambda each: (each.name, each.pid))
        return [Process("supervisor", self.child.pid), *found]

    def signal_all(self, number: signal.Signals) -> None:
        """The supervisor first, so that it sees none of its children change alone."""
        for process in self.processes():
            process.signal(number)

    def kill(self) -> None:
        """SIGKILL to all of it."""
        processes = self.processes()
        self.child.kill()
        for process in processes[1:]:  # they may be frozen; the kernel ends them with their parent anyhow
            process.signal(signal.SIGKILL)

    def stop(self, grace_s: float = 40.0) -> int | None:
        """SIGTERM; the exit code after draining."""
        self.signal_all(signal.SIGCONT)
        self.child.stop(grace_s)
        return self.child.exit_code


class Instances:
    """All instances of a seed; `current` is the one that is meant to run."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder, self._environment = folder, environment
        self._all: list[Instance] = []
        self._workers = 1

    def start(self, workers: int | None = None) -> Instance:
        """A further instance, which is the current one from now on."""
        self._workers = workers or self._workers
        self._all.append(self._instance(self._workers, None))
        return self._all[-1]

    def start_only(self, dataflow: str) -> Instance:
        """One dataflow in a process of its own, beside what runs."""
        instance = self._instance(1, dataflow)
        self._all.insert(0, instance)
        return instance

    @property
    def current(self) -> Instance:
        return self._all[-1]

    def end(self, instance: Instance) -> None:
        """Kill it for good."""
        instance.kill()
        self._all.remove(instance)

    def end_all(self) -> None:
        for instance in list(self._all):
            self.end(instance)

    def logs(self) -> Iterable[Path]:
        return sorted(self._folder.glob("*.log"))

    def _instance(self, workers: int, only: str | None) -> Instance:
        number = len(list(self._folder.glob("job*.log"))) + 1
        name = f"job{number}" + (f"_{only}" if only else "")
        (self._folder / f"{name}.log").touch()
        return Instance(self._folder, name, self._environment, workers=workers, only=only)
