from dataclasses import dataclass

import pytest

from shared_features.errors import FormatVersionError
from shared_features.formats.json_document import decode_document, encode_document


@dataclass(frozen=True)
class Note:
    """A document of schema 3."""

    text: str
    lines: tuple[int, ...] = ()
    schema_version: int = 3


def decode(content: bytes) -> Note:
    return decode_document(content, Note, 3, "note.json", "a note", "write the note again")


def test_golden_bytes():
    plain = {"text": "grün", "a": [1]}
    assert encode_document(plain) == b'{\n  "a": [\n    1\n  ],\n  "text": "gr\\u00fcn"\n}\n'
    assert "grün" in encode_document(plain, ascii_only=False).decode()


def test_a_document_comes_back_and_unknown_keys_are_left_out():
    content = encode_document({"text": "grün", "lines": [1, 2], "schema_version": 3, "later": True})
    assert decode(content) == Note("grün", (1, 2))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "note.json is not a note: input data was truncated. Write the note again."),
        (
            b"[" * 100_000,
            "note.json is not a note: maximum recursion depth exceeded while deserializing an object. Write",
        ),
        (b'{"text": "x"}', "note.json is not a note: object missing required field `schema_version`. Write"),
        (b'{"schema_version": 4}', "note.json was written by schema 4, this reader knows 3. Run the release that"),
        (b'{"schema_version": 3}', "note.json is damaged: object missing required field `text`. Write the note again."),
        (
            b'{"schema_version": 3, "text": "x", "lines": [1, "2"]}',
            "note.json is damaged: expected `int`, got `str` - at `$.lines[1]`. Write the note again.",
        ),
    ],
)
def test_an_error_says_the_file_the_path_and_what_to_do(content, said):
    with pytest.raises(FormatVersionError) as error:
        decode(content)
    assert said in str(error.value)
