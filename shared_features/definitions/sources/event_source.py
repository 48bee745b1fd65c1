"""An event source: one Kafka topic of events of one shape."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Literal

from shared_features.arguments import Checked, did_you_mean
from shared_features.definitions.expectations.expectation import Expectation
from shared_features.definitions.expectations.of_a_source import source_faults
from shared_features.definitions.fields import Field
from shared_features.definitions.fingerprints import canonical
from shared_features.errors import DefinitionError, UnknownFieldError
from shared_features.kernel.event_time import days, minutes, spelled_duration, to_us

RESERVED_FIELDS = ("kafka_partition", "kafka_offset", "record_time_us", "arrival_time_us", "arrival_date")
"""Columns that every events table has besides an event's own fields."""

_NO_BOUND_US = 1 << 61
"""More than lies between any two instants of a column."""

_TOPIC = re.compile(r"[a-zA-Z0-9._-]{1,249}")
_FORMAT = re.compile(r"\w+|[\w.]+:\w+")


@dataclass(frozen=True)
class EventSource(metaclass=Checked):
    """Events of one topic: their fields, which field is the event time and which the event id.

    Where no field names an event, its time may stand in: `event_id` is the event time then, and labels join on several
    fields.

    `tolerated_future`: an event whose event time is further than this ahead of its Kafka record time is a dead
    letter. `tolerated_past`: so is an event that is older than this at its record time. The default is 30 years: longer
    than most histories, and short enough to refuse a time in another unit, which reads as 1970. `unknown_fields`:
    fields that are not declared are ignored, so that a producer may add one before its readers know it; "reject" makes
    such an event a dead letter. `format`: how producers write events: "json", "messagepack", or `module:attribute` of a
    `streaming.kafka.decoders.event_decoder.EventFormat`. `description`: what an event is; it only documents.
    `expectations`: what the archive looks for in a sample of the events. They change no event and no feature.
    """

    name: str
    topic: str
    fields: tuple[Field, ...]
    event_id: str
    event_time: str = "event_time"
    tolerated_future: timedelta = minutes(5)
    unknown_fields: Literal["ignore", "reject"] = "ignore"
    format: str = field(default="json", kw_only=True)
    tolerated_past: timedelta = field(default=days(30 * 365), kw_only=True)
    description: str = field(default="", kw_only=True, compare=False)
    expectations: tuple[Expectation, ...] = field(default=(), kw_only=True, compare=False)

    def __post_init__(self) -> None:
        names = [field.name for field in self.fields]
        where = f"event source {self.name!r}"
        if not self.name.isidentifier():
            raise DefinitionError(f"{where}: a name is a Python identifier; rename it")
        if not _TOPIC.fullmatch(self.topic) or self.topic in (".", ".."):
            raise DefinitionError(
                f"{where}: topic is {self.topic!r}; a topic of Kafka has 1 to 249 letters, digits, dots, underscores "
                "or hyphens"
            )
        if len({name.casefold() for name in names}) != len(names):
            raise DefinitionError(f"{where}: a field is declared twice among {names} (case does not count); drop one")
        if taken := [name for name in names if name.casefold() in RESERVED_FIELDS]:
            raise DefinitionError(f"{where}: {taken} are columns of every events table; call those fields otherwise")
        for role, name in (("event_id", self.event_id), ("event_time", self.event_time)):
            if name not in names:
                instants = [each.name for each in self.fields if each.type.is_instant]
                known = f" Its Timestamp fields are {', '.join(instants)}" if role == "event_time" and instants else ""
                meant = did_you_mean(name, names) or known
                raise DefinitionError(f"{where}: {role} {name!r} is not among its fields {names}; add it.{meant}")
            if self.field(name).optional:
                raise DefinitionError(f"{where}: {role} {name!r} is optional; an event cannot be without it")
        if not self.field(self.event_time).type.is_instant:
            raise DefinitionError(f"{where}: event_time {self.event_time!r} is not a Timestamp field; make it one")
        if not _FORMAT.fullmatch(self.format):
            raise DefinitionError(
                f'{where}: format is {self.format!r}; give a name such as "json", or MODULE:ATTRIBUTE'
            )
        if to_us(self.tolerated_future) < 0:
            raise DefinitionError(f"{where}: tolerated_future is negative; give zero or more")
        if to_us(self.tolerated_past) <= 0:
            raise DefinitionError(
                f"{where}: tolerated_past is {spelled_duration(self.tolerated_past)}; give more than zero"
            )
        for says in source_faults(self.expectations, self._by_name):
            raise DefinitionError(f"{where}: {says}")

    @cached_property
    def text(self) -> str:
        """As it is stored beside its events (`definitions.difference`); equal sources have equal texts."""
        return canonical({"source": self})

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}

    def has(self, name: str) -> bool:
        return name in self._by_name

    def field(self, name: str, asked_by: str = "") -> Field:
        """The field of this name. asked_by: what an error is about, besides the source."""
        if name not in self._by_name:
            about = f"{asked_by}: source {self.name!r}" if asked_by else f"event source {self.name!r}"
            meant = did_you_mean(name, self._by_name)
            said = f"{about} has no field {name!r}.{meant} It has {', '.join(self._by_name)}"
            raise UnknownFieldError(said, self.name, name)
        return self._by_name[name]

    @property
    def tolerated_future_us(self) -> int:
        return to_us(self.tolerated_future)

    @property
    def tolerated_past_us(self) -> int:
        return min(to_us(self.tolerated_past), _NO_BOUND_US)
