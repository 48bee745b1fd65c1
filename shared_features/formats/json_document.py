"""A JSON document: a stored format that people read, such as a manifest. How its bytes are written, and read again."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

from shared_features.errors import FormatVersionError

T = TypeVar("T")


def encode_document(plain: Any, ascii_only: bool = True) -> bytes:
    """JSON in UTF-8: keys sorted, indented by two, a newline at the end; equal documents give equal bytes."""
    text = json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=ascii_only, allow_nan=False)
    return (text + "\n").encode()


def decode_document(
    content: bytes,
    kind: type[T],
    schema_version: int,
    where: str,
    noun: str,
    remedy: str,
    unsaid_version: int | None = None,
) -> T:
    """The document in these bytes as a `kind`; keys that `kind` does not know are left out.

    where: the file. noun: what it should be, with its article. remedy: what to do, as an imperative without a full
    stop. unsaid_version: the schema of a document that says none; None: each says one. Raises FormatVersionError for
    bytes that are damaged (with the path inside them) or of another schema.
    """
    try:
        plain = msgspec.json.decode(content)
        if unsaid_version is not None and isinstance(plain, dict):
            plain.setdefault("schema_version", unsaid_version)
        found = msgspec.convert(plain, _Versioned).schema_version
    except (msgspec.MsgspecError, RecursionError) as error:
        raise FormatVersionError(f"{where} is not {noun}: {_uncapitalized(error)}. {_capitalized(remedy)}.") from error
    if found != schema_version:
        raise FormatVersionError(
            f"{where} was written by schema {found}, this reader knows {schema_version}. Run the release that wrote "
            f"it, or {remedy}."
        )
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        raise FormatVersionError(f"{where} is damaged: {_uncapitalized(error)}. {_capitalized(remedy)}.") from error


class _Versioned(msgspec.Struct):
    schema_version: int


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _uncapitalized(error: Exception) -> str:
    text = str(error)
    return text[:1].lower() + text[1:]
