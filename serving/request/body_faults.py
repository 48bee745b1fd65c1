"""What is wrong with a request's body, in words: where, what was found, and what to write there."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Any

import msgspec

from serving.errors import InvalidRequestError
from serving.request.accepted_values import A_TIME, accepted, described, sentence
from shared_features.definitions import Field, FieldType, Timestamp

_PATH = re.compile(r"\$(?:\.\w++|\[\d++\])*+")  # the text is the client's own: nothing here may look back
_MISSING, _UNKNOWN = "Object missing required field `", "Object contains unknown field `"
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_WHOLE = re.compile(r"-?\d+")
_LONGEST_FOUND = 60
_AS_OF_TYPE = Timestamp("us")

_BODY = {
    "instances": ("the list of instances", "a list of at least one instance"),
    "as_of": (
        "the instant of the request",
        f"a whole number of microseconds since 1970-01-01 UTC, {A_TIME}, or null",
    ),
    "include_features": ("whether the answer lists the features that the model saw", "true or false"),
    "explain": ("whether each prediction says where its features come from", "true or false"),
}


class BodyFaults:
    """Says what is wrong with the requests of one view. only_features: they want no prediction."""

    def __init__(self, fields: Sequence[Field], unread: Collection[str] = (), *, only_features: bool = False) -> None:
        """fields: of an instance. unread: fields of the view's source that the view does not read."""
        self._unread = frozenset(unread)
        self._names = [field.name for field in fields]
        self._members = ["instances", "as_of"] if only_features else list(_BODY)
        self._known = {field.name: (described(field), accepted(field)) for field in fields}

    def of(self, error: Exception, raw: bytes) -> InvalidRequestError:
        """The refusal of a body that could not be decoded."""
        if not isinstance(error, msgspec.ValidationError):
            return InvalidRequestError(f"The body is not JSON: {error}. Send {self._object('$')}.", path="$")
        message, path = _message_and_path(str(error))
        if message.startswith(_MISSING):
            return self._missing(path, message[len(_MISSING) : -1])
        if message.startswith(_UNKNOWN):
            return self._unknown(path, message[len(_UNKNOWN) : -1])
        return self.wrong_value(path, _found(raw, path))

    def wrong_value(self, path: str, found: str, expected: str | None = None) -> InvalidRequestError:
        """The refusal of a value that its field does not accept. `expected`: where the field's own words do not say."""
        what, accepts = self._about(path)
        other = _AS_OF_TYPE.in_another_unit(int(found)) if path == "$.as_of" and _WHOLE.fullmatch(found) else None
        advice = f" {other[0].upper()}{other[1:]}." if other else ""
        expected = f"{expected or accepts}.{advice}"
        return InvalidRequestError(f"Wrong value at {path}. Found {found}, expected {expected}{what}", path=path)

    def out_of_bounds(self, path: str, raw: bytes, kind: FieldType) -> InvalidRequestError:
        """The refusal of a value whose bounds only its type knows."""
        return self.wrong_value(path, _found(raw, path), kind.limits)

    def _missing(self, path: str, name: str) -> InvalidRequestError:
        fields, path = self._fields(path), f"{path}.{name}"
        what, expected = self._about(path)
        return InvalidRequestError(f"Missing field {name} at {path}. Write {expected}.{what}", path=path, fields=fields)

    def _unknown(self, path: str, name: str) -> InvalidRequestError:
        fields, name = self._fields(path), shortened(name)
        if path.startswith("$.instances[") and name in self._unread:
            detail = (
                f"Field {name} at {path}.{name} is a field of the events, and no feature of this view reads it. "
                f"Leave it out. The fields here are {', '.join(fields)}."
            )
            return InvalidRequestError(detail, path=f"{path}.{name}", fields=fields)
        near = get_close_matches(name, fields, 1)
        advice = f"Did you mean {near[0]}? " if near else ""
        detail = f"Unknown field {name} at {path}.{name}. {advice}The fields here are {', '.join(fields)}."
        return InvalidRequestError(detail, path=f"{path}.{name}", fields=fields)

    def _about(self, path: str) -> tuple[str, str]:
        """What belongs at a path, as a sentence, and what it accepts."""
        if path.startswith("$.instances["):
            name = path.rpartition(".")[2]
            known = self._known.get(name) if path.count(".") > 1 else None
        else:
            name = path.removeprefix("$.")
            known = _BODY.get(name)
        if known is None:
            return "", self._object(path)
        return (f" {name}: {sentence(known[0])}" if known[0] else ""), known[1]

    def _object(self, path: str) -> str:
        return f"an object with the fields {', '.join(self._fields(path))}"

    def _fields(self, path: str) -> list[str]:
        return self._names if path.startswith("$.instances[") else self._members


def shortened(text: str) -> str:
    """A text of the client as an answer repeats it."""
    return text if len(text) <= _LONGEST_FOUND else f"{text[: _LONGEST_FOUND - 3]}..."


def _message_and_path(said: str) -> tuple[str, str]:
    """What msgspec says, and where: it leaves out the root. A name of the client may look like a place itself."""
    message, _, place = said.rpartition(" - at `")
    path = place.removesuffix("`")
    return (message, path) if message and _PATH.fullmatch(path) else (said, "$")


def _found(raw: bytes, path: str) -> str:
    """The value at a path of the body, as JSON; shortened."""
    try:
        value: Any = msgspec.json.decode(raw)
        for name, index in _STEP.findall(path):
            value = value[name] if name else value[int(index)]
    except (msgspec.DecodeError, KeyError, IndexError, TypeError, UnicodeDecodeError, RecursionError):
        return "something else"
    return shortened(msgspec.json.encode(value).decode())
