"""An entity: what features describe, and the event fields that identify one."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared_features.arguments import Checked
from shared_features.definitions.sources.event_source import EventSource
from shared_features.errors import DefinitionError


@dataclass(frozen=True, slots=True)
class Entity(metaclass=Checked):
    """What features describe; `keys` are the event fields that identify one."""

    name: str
    keys: tuple[str, ...]
    description: str = field(default="", kw_only=True, compare=False)

    def __post_init__(self) -> None:
        if not self.name:
            raise DefinitionError("an entity has no name; give one")
        if not self.keys:
            raise DefinitionError(f"entity {self.name!r} has no key field; name at least one")
        if len(set(self.keys)) != len(self.keys):
            raise DefinitionError(f"entity {self.name!r}: a key is named twice among {list(self.keys)}; drop one")

    def check(self, where: str, source: EventSource) -> None:
        """Raises DefinitionError where the events of a source cannot say whose they are."""
        for name in self.keys:
            key = source.field(name, where)
            if key.optional:
                raise DefinitionError(f"{where}: entity key {name!r} is optional in {source.name!r}; make it required")
            if key.type.key_part is None:
                raise DefinitionError(
                    f"{where}: entity key {name!r} is a {type(key.type).__name__} in {source.name!r}; a key is an "
                    "Integer or a Text. Change its type, or key by another field"
                )
