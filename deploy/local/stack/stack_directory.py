"""The directory of a local stack: its data, its logs, what it remembers, and the lock of its supervisor."""

from __future__ import annotations

import contextlib
import fcntl
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from deploy.local.errors import LocalError
from deploy.local.stack.running_stacks import noted
from deploy.local.stack.standing import Standing

Ours = Literal["simulator", "apache", "yours"]
_Stored = TypeVar("_Stored", bound=msgspec.Struct)
_LOCK, _MEMORY, _STANDING, _ENVIRONMENT = ".running", "stack.json", "standing.json", "env.sh"
_QUESTION, _ANSWER, _DEFINITIONS = ".asked", "answer.json", "definitions.json"


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """What stays the same as long as the directory lives. Ports: where they are free. Addresses: where they are yours.

    log: the name of the simulated log, which outlives its simulator. import_path: folders with the definitions.
    """

    definitions: str
    kafka: Ours
    redis: Literal["embedded", "yours"]
    namespace: str
    log: str
    import_path: tuple[str, ...] = ()
    kafka_address: str | None = None
    redis_address: str | None = None
    kafka_port: int | None = None
    controller_port: int | None = None
    redis_port: int | None = None
    serving_port: int | None = None

    @property
    def serving_url(self) -> str:
        return f"http://127.0.0.1:{self.serving_port}"


class StackDirectory:
    """`path` holds lake, registry, training, redis, kafka, logs and env.sh. Nothing is created before `create`."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def lake(self) -> Path:
        return self.path / "lake"

    @property
    def registry(self) -> Path:
        return self.path / "registry"

    @property
    def runs(self) -> Path:
        """Of training."""
        return self.path / "training"

    @property
    def environment_file(self) -> Path:
        return self.path / _ENVIRONMENT

    @property
    def definitions_file(self) -> Path:
        """Those that the stack was last up with."""
        return self.path / _DEFINITIONS

    @property
    def is_there(self) -> bool:
        """Whether a stack was begun here."""
        return (self.path / _LOCK).exists()

    def log(self, program: str) -> Path:
        return self.path / "logs" / f"{program}.log"

    def create(self) -> None:
        """The folders. Raises LocalError for a directory that holds something else, or that cannot be written."""
        if self.path.is_dir() and not self.is_there and any(self.path.iterdir()):
            raise LocalError(
                f"{self.path} is not empty, and no stack was begun there. Give an empty or a new --directory."
            )
        try:
            for name in ("logs", "lake", "registry", "training"):
                (self.path / name).mkdir(parents=True, exist_ok=True)
            (self.path / _LOCK).touch()
        except OSError as error:
            raise LocalError(f"{self.path} cannot be used: {error.strerror}. Give another --directory.") from error

    def remember(self, remembered: Remembered) -> None:
        self._write(_MEMORY, remembered)

    def remembered(self) -> Remembered | None:
        """None before the first `up`. Raises LocalError for a file that cannot be read."""
        return self._read(_MEMORY, Remembered)

    def keep_definitions(self, kept: msgspec.Struct) -> None:
        self._write(_DEFINITIONS, kept)

    def kept_definitions(self, kind: type[_Stored]) -> _Stored | None:
        """Those that the stack was last up with. Raises LocalError for a file that cannot be read."""
        return self._read(_DEFINITIONS, kind)

    def show(self, standing: Standing) -> None:
        self._write(_STANDING, standing)

    def standing(self) -> Standing | None:
        """Where the parts stood at the last change. None before the first `up`."""
        return self._read(_STANDING, Standing)

    def ask(self) -> str:
        """Ask the supervisor to look at the stream; the name of the question."""
        name = uuid.uuid4().hex
        beside = self.path / f"{_QUESTION}-{name}"
        beside.write_text(name)
        beside.replace(self.path / _QUESTION)
        return name

    def asked(self) -> str | None:
        """The last question."""
        try:
            return (self.path / _QUESTION).read_text()
        except OSError:
            return None

    def write_answer(self, answer: msgspec.Struct) -> None:
        self._write(_ANSWER, answer)

    def answered(self, kind: type[_Stored]) -> _Stored | None:
        """What the supervisor has answered last. Raises LocalError for an answer that cannot be read."""
        return self._read(_ANSWER, kind)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """The lock of the supervisor. Raises LocalError while another one has it."""
        with (self.path / _LOCK).open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise LocalError(f"the stack in {self.path} runs already. Look at it with `status`.") from None
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            with noted(self.path):
                yield
            lock.truncate(0)

    def supervisor(self) -> int | None:
        """The process id of the supervisor that runs now."""
        try:
            with (self.path / _LOCK).open("r+") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except OSError:
                    text = lock.read().strip()
                    return int(text) if text.isdecimal() else None
        except FileNotFoundError:
            pass
        return None

    def _write(self, name: str, content: msgspec.Struct) -> None:
        beside = self.path / f".{name}-{uuid.uuid4().hex}"
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
        beside.replace(self.path / name)

    def _read(self, name: str, kind: type[_Stored]) -> _Stored | None:
        path = self.path / name
        try:
            return msgspec.json.decode(path.read_bytes(), type=kind)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, OSError) as error:
            raise LocalError(
                f"{path} cannot be read: {error}. Restore the file, or give another --directory."
            ) from error
