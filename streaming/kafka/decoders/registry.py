"""The formats by name: those that Millrace brings, and any that a definition names as `module:attribute`."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import cache

from shared_features.definitions import EventSource
from shared_features.errors import DefinitionError
from streaming.kafka.decoders.event_decoder import EventDecoder, EventFormat
from streaming.kafka.decoders.json_format import JSON
from streaming.kafka.decoders.messagepack_format import MESSAGEPACK
from streaming.kafka.decoders.nested_json_format import NAME, NESTED_JSON

FORMATS = {"json": JSON, NAME: NESTED_JSON, "messagepack": MESSAGEPACK}


def decoder_of(source: EventSource) -> EventDecoder:
    """The decoder of a source's records. Raises DefinitionError if the format is unknown."""
    return event_format(source.format).decoder(source)


def formats_of(sources: Iterable[EventSource]) -> list[EventFormat]:
    """All formats in which records of the sources' topics may have been written, now or earlier."""
    return [event_format(name) for name in dict.fromkeys([*(source.format for source in sources), *FORMATS])]


@cache
def event_format(name: str) -> EventFormat:
    """The format with a name. Raises DefinitionError if there is none."""
    if name in FORMATS:
        return FORMATS[name]
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise DefinitionError(f"event format {name!r} cannot be imported: {error}. {_GIVE}") from error
    if not isinstance(found, EventFormat):
        raise DefinitionError(f"event format {name!r} is a {type(found).__name__}, not an EventFormat. {_GIVE}")
    return found


_GIVE = f"Give one of {', '.join(FORMATS)}, or MODULE:ATTRIBUTE of an EventFormat"
