"""`up`: in the foreground the supervisor itself; detached, a supervisor of its own, which this process waits for."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time

from deploy.local.commands.edits import say_edits, say_edits_of_running
from deploy.local.commands.lines import next_steps
from deploy.local.commands.screen import Screen
from deploy.local.commands.status import show_status
from deploy.local.commands.wanted import wanted_stack
from deploy.local.errors import LocalError
from deploy.local.parts.environment import import_path
from deploy.local.parts.programs import ROOT, last_lines
from deploy.local.stack.interruption import Interrupted, Interruption
from deploy.local.stack.processes import end, started
from deploy.local.stack.stack_directory import Remembered, StackDirectory
from deploy.local.supervisor import Supervisor
from shared_features.definitions import Catalogue

_LOOK_EVERY_S = 0.2
_END_WITHIN_S = 120.0
_REFUSED = 1


def bring_up(options: argparse.Namespace, interruption: Interruption) -> int:
    """The exit code. Raises LocalError, EmbeddedError, Interrupted."""
    directory = StackDirectory(options.directory)
    if directory.supervisor() is not None:
        wanted_definitions = options.definitions
        remembered = directory.remembered()
        if remembered is not None and wanted_definitions not in (None, remembered.definitions):
            raise LocalError(
                f"A stack of other definitions, {remembered.definitions}, runs in {directory.path}. "
                "End it with `down`, or give another --directory."
            )
        print(f"the stack in {directory.path} runs already:")
        code = show_status(directory, as_json=False)
        fits = remembered is None or say_edits_of_running(directory, remembered)
        return code if fits else _REFUSED
    remembered, catalogue = wanted_stack(
        directory, definitions=options.definitions, kafka=options.kafka, port=options.port
    )
    say_edits(directory, remembered, catalogue, aloud=not options.as_supervisor)
    directory.create()
    if options.detach and not options.as_supervisor:
        return _start_and_follow(options, directory, catalogue)
    return _supervise(directory, remembered, catalogue, interruption)


def _supervise(
    directory: StackDirectory,
    remembered: Remembered,
    catalogue: Catalogue,
    interruption: Interruption,
) -> int:
    screen = Screen()

    def ready() -> None:
        _say_what_is_up(screen, directory, directory.remembered() or remembered, catalogue)
        screen.console.print("[bold]everything is up[/]; Ctrl-C ends it, and the data stay")

    with directory.locked():
        try:
            with screen:
                Supervisor(directory, remembered, catalogue, interruption, screen.told).run(ready)
        except Interrupted as asked:
            screen.console.print(f"ended by {asked}; no process was left, and the data stay in {directory.path}")
            return 0 if asked.exit_code == 128 + signal.SIGTERM else asked.exit_code
    return 0


def _say_what_is_up(screen: Screen, directory: StackDirectory, remembered: Remembered, catalogue: Catalogue) -> None:
    screen.settle()
    screen.console.print()
    for line in next_steps(directory, remembered, catalogue):
        # Folded by the terminal: an address or a path can then be copied as one.
        screen.console.print(line, markup=False, soft_wrap=True)
    screen.console.print()


def _start_and_follow(options: argparse.Namespace, directory: StackDirectory, catalogue: Catalogue) -> int:
    """Start a supervisor that outlives this process, and show its parts until all are ready."""
    command = [sys.executable, "-P", "-m", "deploy.local", "up", "--as-supervisor", f"--directory={directory.path}"]
    command += [f"--definitions={options.definitions}"] if options.definitions else []
    command += ["--kafka"] if options.kafka else []
    command += [f"--port={options.port}"] if options.port else []
    path = os.pathsep.join([str(ROOT), *import_path()])
    log = directory.log("supervisor")
    log.write_bytes(b"")
    (directory.path / "standing.json").unlink(missing_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,
        )
    since = started(child.pid)
    try:
        with Screen() as screen:
            return _follow(child, directory, catalogue, screen)
    except BaseException:
        end(child.pid, since, grace_s=_END_WITHIN_S)
        raise


def _follow(child: subprocess.Popen[bytes], directory: StackDirectory, catalogue: Catalogue, screen: Screen) -> int:
    while True:
        ended = child.poll() is not None
        standing = directory.standing()
        for part in standing.parts if standing else ():
            screen.told(part)
        if ended:
            why = standing.error if standing is not None and standing.error else None
            log = directory.log("supervisor")
            raise LocalError(why or f"the supervisor ended. The end of its log, {log}:\n{last_lines(log)}")
        if standing is not None and standing.phase == "ready":
            remembered = directory.remembered()
            if remembered is None:
                raise LocalError(f"{directory.path} lost its stack.json while the stack started")
            _say_what_is_up(screen, directory, remembered, catalogue)
            screen.console.print(
                f"[bold]everything is up[/] (supervisor {child.pid}); `down` ends it, and the data stay"
            )
            return 0
        time.sleep(_LOOK_EVERY_S)
