"""What people read is plain English."""

import pytest

from tests.architecture.plain_english import complaints, habits_in


def test_nothing_that_people_read_has_a_habit_that_is_hard_to_follow() -> None:
    """Read at night, under stress, often in a second language: subject, verb, object, and the field's own word."""
    found = complaints()
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "words",
    [
        "the topic was made anew",
        "Redis was set\nback to its own commit",
        "a record that is no event",
        "the registry is empty or not there, so who knows what its models need",
    ],
)
def test_a_habit_is_found_across_lines_with_the_word_to_write(words: str) -> None:
    assert all(instead for _, instead in habits_in(words))
    assert list(habits_in(words))


@pytest.mark.parametrize("words", ["there is no gap", "the shard is no longer behind", "the topic was re-created"])
def test_plain_words_pass(words: str) -> None:
    assert not list(habits_in(words))
