"""What may be expected of the events of a source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from shared_features.arguments import did_you_mean
from shared_features.definitions.expectations.aspect import aspects_of
from shared_features.definitions.expectations.expectation import Copies, Expect, Expectation, Rows
from shared_features.definitions.expectations.field_scale import FieldScale
from shared_features.definitions.fields import Field


def expectation_names(expectation: Expectation, fields: Mapping[str, Field]) -> list[str]:
    """The names under which metrics count an expectation: one for each thing that it says."""
    if isinstance(expectation, Expect):
        return [each.name for each in aspects_of(expectation, FieldScale(fields[expectation.column]))]
    return [type(expectation).__name__.lower()]


def source_faults(expectations: Sequence[Expectation], fields: Mapping[str, Field]) -> Iterator[str]:
    """What is expected of events with these fields and cannot be, and what to do."""
    wrong = [says for each in expectations for says in _faults(each, fields)]
    yield from wrong
    if not wrong:
        names = Counter(name for each in expectations for name in expectation_names(each, fields))
        yield from (f"expectations have {name!r} twice; drop one" for name, count in names.items() if count > 1)


def _faults(expectation: Expectation, fields: Mapping[str, Field]) -> Iterator[str]:
    if isinstance(expectation, Expect):
        field = fields.get(expectation.column)
        if field is None:
            name = expectation.column
            yield f"expectations name {name!r}, and there is no such field; write a field.{did_you_mean(name, fields)}"
        else:
            yield from _field_faults(expectation, field)
    elif isinstance(expectation, Rows | Copies) and expectation.every is None:
        yield f"{type(expectation).__name__} does not say of which span of time; write every=hours(1)"


def _field_faults(expectation: Expect, field: Field) -> Iterator[str]:
    name, texts = field.name, [each for each in expectation.values if isinstance(each, str)]
    if expectation.missing_share is not None and not field.optional:
        yield (
            f"expectations: {name} is required, so an event without it is a dead letter; make it optional, or leave "
            "missing_share out"
        )
    if field.type.is_instant and (expectation.has_range or expectation.values):
        yield f"expectations: {name} is an instant; write Newest(within=...) for how old events are"
    elif field.is_text and expectation.has_range:
        yield f"expectations: {name} is a text and has no range; write Expect({name!r}, values=(...))"
    elif field.is_text and len(texts) < len(expectation.values):
        yield f"expectations: {name} is a text, and among its values are numbers; write texts"
    elif texts and not field.is_text:
        yield f"expectations: {name} is a number, and among its values are texts; write numbers"
