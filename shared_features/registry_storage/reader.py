"""What reads a registry, wherever it lies. Keys are paths inside the registry, such as `MODEL/3/model.onnx`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Stored:
    """What a key held when it was read. tag: of object storage, which tells it from every other content."""

    content: bytes
    tag: Any = None


class RegistryReader(Protocol):
    """Raises OSError where a folder cannot be read, and RegistryStorageError where object storage cannot."""

    @property
    def address(self) -> str:
        """Of the registry, for people."""

    def where(self, key: str) -> str:
        """The address of what has this key, for people."""

    def read(self, key: str, known: Stored | None = None) -> Stored | None:
        """The whole content; None where there is none. `known` itself where object storage says that it is the same."""

    def folders(self, key: str = "") -> list[str]:
        """Names of the folders right inside one, sorted; of all of the registry by default."""

    def files(self, key: str) -> dict[str, int]:
        """Name -> bytes of each file right inside a folder, sorted; empty where there is no such folder."""

    def versions(self, model: str) -> list[int]:
        """Numbers of the versions that are whole, ascending."""
