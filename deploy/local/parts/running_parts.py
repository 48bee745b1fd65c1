"""What runs of a stack: its servers, and the programs that find them. It is watched, and shown on a board."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from deploy.local.errors import LocalError
from deploy.local.parts.compiled_kernel import KERNEL, CompiledKernel
from deploy.local.parts.environment import program_environment, settings_of, stack_settings, write_environment_file
from deploy.local.parts.programs import Program
from deploy.local.parts.servers import choose_ports, start_servers
from deploy.local.stack.board import Board
from deploy.local.stack.interruption import Interruption
from deploy.local.stack.stack_directory import Remembered, StackDirectory
from shared_features.definitions import Catalogue

STREAM, SERVING, TRAINING = "stream job", "serving", "training"


class RunningParts:
    """Kafka, Redis and topics from the start; programs as they are begun. `exits` ends all of it, in reverse.

    own: settings beside those that a stack has, or in their place. Raises LocalError or EmbeddedError.
    """

    def __init__(
        self,
        directory: StackDirectory,
        remembered: Remembered,
        catalogue: Catalogue,
        board: Board,
        exits: ExitStack,
        own: Mapping[str, str] | None = None,
    ) -> None:
        self.catalogue, self._directory, self._board, self._exits = catalogue, directory, board, exits
        self._programs: dict[str, Program] = {}
        self._revived: dict[str, Callable[[], Program]] = {}
        chosen, changed = choose_ports(remembered)
        for each in changed:
            board.put("ports", "up", each)
        self._servers = start_servers(directory, chosen, catalogue, board, exits)
        self.remembered = self._servers.remembered
        directory.remember(self.remembered)
        settings = {**stack_settings(directory, self.remembered, self._servers.mode), **(own or {})}
        write_environment_file(directory, self.remembered, settings)
        self._environment = program_environment(self.remembered, settings)
        self.settings = settings_of(settings)

    def compile_kernel(self, interruption: Interruption) -> None:
        """Once, by one process: several programs that start at once would each compile the same."""
        kernel = CompiledKernel(self._directory, self.catalogue)
        kernel.compile(self._board, lambda: self.program(KERNEL, ["deploy.local.compile_kernel"]), interruption)

    def begin(self, name: str, arguments: Sequence[str], says: str, *, revived: bool = False, **more: str) -> Program:
        """Start one that stays. revived: if a signal ends it, as `kill -9` does, it is started again."""
        program = self._programs[name] = self._exits.enter_context(self.program(name, arguments))
        if revived:
            self._revived[name] = partial(self.begin, name, arguments, says, revived=True, **more)
        self._board.put(name, "starting", says, pid=program.pid, log=program.log, **more)
        return program

    def program(self, name: str, arguments: Sequence[str], settings: Mapping[str, str] | None = None) -> Program:
        """One that is started now, and that the caller ends. settings: beside those of the stack."""
        environment = {**self._environment, **(settings or {})}
        return Program(name, arguments, environment, self._directory.log(name.replace(" ", "-")))

    def note_failures(self) -> None:
        """Put on the board what has ended, though nobody asked it to."""
        self._servers.note_failures(self._board)
        for name, program in list(self._programs.items()):
            code = program.exit_code
            if code is None or self._board.state(name) == "failed":
                continue
            if code < 0 and name in self._revived:
                self._revived[name]()
            else:
                self._board.put(name, "failed", str(program.failed(f"ended with exit code {code}")))

    def check(self) -> None:
        """Raise LocalError with what has failed."""
        self.note_failures()
        if failed := self._board.standing.failed:
            raise LocalError("\n".join(each.says for each in failed))
