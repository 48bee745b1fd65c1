"""A line is bounded, whatever the definitions say."""

from __future__ import annotations

from streaming.archive.expectations.finding import Finding, said


def test_many_and_long_findings_make_a_bounded_text() -> None:
    one = Finding("a values", "a one of " + "x, " * 1_000, "1 of 2 events", met=False, warn=True, checks=2, failures=1)
    text = said([one] * 8)
    assert len(text) < 1_000
    assert text.endswith("...: 1 of 2 events; and 3 more")
