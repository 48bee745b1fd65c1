"""A person is told which columns are not sent, and not of those that the same file sends elsewhere."""

from shared_features import EventSource, Field, Text, Timestamp
from streaming.operations.produce.rows.row_encoder import Reading, RowEncoder
from streaming.operations.produce.rows.unsent_columns import UnsentColumns


def source(name, *fields):
    texts = [Field(each, Text(max_length=20)) for each in fields]
    return EventSource(
        name=name, topic=name, fields=(Field("at", Timestamp("ms")), *texts), event_id=fields[0], event_time="at"
    )


NOTES, MARKS = source("notes", "note"), source("marks", "note", "mark")
ROW = {"note": "a", "at": 1_700_000_000_000, "Mark": "good", "known": 1_700_000_060_000, "colour": "red"}


def encoder(of, **reading):
    return RowEncoder(of, ("note",), [ROW], Reading({}, **reading))


def test_the_label_and_the_arrival_of_a_file_that_feeds_two_sources_are_no_columns_too_many():
    """Every file whose rows carry their outcome had its label among "columns that no field takes"."""
    notes, marks = encoder(NOTES), encoder(MARKS, arrival="known")
    assert list(UnsentColumns(notes, [marks]).lines()) == ["columns that no field takes, not sent: colour"]
    assert list(UnsentColumns(marks, [notes]).lines()) == ["columns that no field takes, not sent: colour"]


def test_a_source_that_would_take_the_label_is_named():
    assert list(UnsentColumns(encoder(NOTES), others=[MARKS]).lines()) == [
        "columns that source marks would take (add --source marks): Mark",
        "columns that no field takes, not sent: known, colour",
    ]


def test_a_source_that_requires_more_than_the_file_has_is_not_named():
    others = [source("reviews", "note", "colour", "stars")]
    assert list(UnsentColumns(encoder(NOTES), others=others).lines()) == [
        "columns that no field takes, not sent: Mark, known, colour"
    ]


def test_a_column_that_only_later_rows_have_is_told_once_the_rows_are_sent():
    notes = encoder(NOTES)
    notes.encode(ROW | {"size": "L"})
    assert list(UnsentColumns(notes).late_lines()) == [
        "columns that appeared after the first rows and that no field takes, not sent: size"
    ]
