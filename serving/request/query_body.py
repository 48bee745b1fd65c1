"""A request by GET: its query names the fields of one instance, and is made a body."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

import msgspec

from serving.errors import InvalidRequestError
from serving.request.body_faults import shortened
from shared_features.definitions import Field

_AS_OF = "as_of"


def query_body(query: bytes, fields: Sequence[Field]) -> bytes:
    """The body that asks for the same. fields: those of an instance. Raises InvalidRequestError.

    >>> from shared_features.definitions import Field, Integer, Text
    >>> query_body(b"machine=17&plan=17&as_of=5", [Field("machine", Integer()), Field("plan", Text())])
    b'{"instances":[{"machine":17,"plan":"17"}],"as_of":5}'
    """
    texts = {field.name for field in fields if field.is_text}
    instance: dict[str, msgspec.Raw] = {}
    body: dict[str, object] = {"instances": [instance]}
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, strict_parsing=bool(query), errors="strict")
    except ValueError as error:  # not ASCII, not a pair, not UTF-8
        raise InvalidRequestError(
            "The query of the path cannot be read. Write name=value, joined by `&`, with special characters as %XX.",
            path="$",
        ) from error
    for name, text in pairs:
        own = name == _AS_OF and not any(field.name == _AS_OF for field in fields)
        if name in instance or (own and name in body):
            raise InvalidRequestError(
                f"The query names {shortened(name)} twice. A request by GET is for one instance. Send several by POST.",
                path=f"$.instances[0].{shortened(name)}",
            )
        value = msgspec.Raw(msgspec.json.encode(text) if name in texts else _value(text))
        if own:
            body[name] = value
        else:
            instance[name] = value
    return msgspec.json.encode(body)


def _value(text: str) -> bytes:
    """A number, true, false or null as it stands, and any other text as a text."""
    raw = text.encode()
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return msgspec.json.encode(text)
    return msgspec.json.encode(text) if isinstance(found, str | list | dict) else raw
