"""The keys under which groups and tables hold states and rows of subjects.

A key belongs to a subject if it carries the subject's fields with the subject's values: whatever the definitions call
the entity, in any order of the fields, and also beside further fields. Every event behind such a key carries these
values, so all that is stored under the key is the subject's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from shared_features.formats.entity_keys import split_key
from streaming.operations.erasure.subjects.subject import Subject


def carries(fields: Sequence[str], of: Sequence[str]) -> bool:
    """Whether keys of some fields carry all fields of others."""
    return set(of) <= set(fields)


@dataclass(frozen=True)
class HeldKeys:
    """fields: those of the stored keys, in their order; they carry all of the subjects'. subjects: of one kind."""

    fields: tuple[str, ...]
    subjects: Sequence[Subject]

    @property
    def are_known(self) -> bool:
        """Whether the subjects alone tell the keys. They do not tell the values of further fields."""
        return all(len(subject.parts) == len(self.fields) for subject in self.subjects)

    def known(self) -> list[str]:
        """The keys, one for each subject."""
        return [subject.key_by(self.fields) for subject in self.subjects]

    def among(self, stored: Iterable[str]) -> list[str]:
        """Those of some stored keys that belong to a subject."""
        return [key for key in stored if self._wanted_of(split_key(key)) in self._wanted]

    @cached_property
    def _wanted(self) -> frozenset[tuple[str, ...]]:
        return frozenset(subject.parts for subject in self.subjects)

    @cached_property
    def _places(self) -> tuple[int, ...]:
        return tuple(self.fields.index(name) for name in self.subjects[0].entity.keys) if self.subjects else ()

    def _wanted_of(self, parts: Sequence[str]) -> tuple[str, ...]:
        return tuple(parts[place] for place in self._places) if len(parts) == len(self.fields) else ()
