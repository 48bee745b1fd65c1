"""What the two embedded Kafkas have in common."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self


class Broker(Protocol):
    """A Kafka on loopback that lives and ends with this process."""

    @property
    def bootstrap_servers(self) -> str:
        """What a client is given; the same before and after a pause or a restart."""

    def create_topic(self, name: str, partitions: int, config: Mapping[str, str] | None = None) -> None:
        """Create a topic and return when clients see it. Raises EmbeddedError when it exists already."""

    def stop(self) -> None:
        """End it in order. Harmless when ended."""

    def kill(self) -> None:
        """End it at once (SIGKILL)."""

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open, nothing answers."""

    def resume(self) -> None:
        """Let it continue after `pause`."""

    def __enter__(self) -> Self:
        """Start it; it answers when this returns."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
