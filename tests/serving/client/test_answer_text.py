"""What a person reads of an answer."""

import json
from typing import Any

import pytest

from serving.client.answer_text import answer_text, problem_text, table

PREDICTION: dict[str, Any] = {"score": 0.25, "degraded": False, "missing_entities": []}
ANSWER: dict[str, Any] = {
    "view": "fraud:v1",
    "model": {"name": "fraud", "version": 3},
    "as_of_us": 1_000_000,
    "freshness_seconds": {"spend": 0.0, "risk": 7200.0, "new": None},
    "predictions": [PREDICTION],
}


def test_columns_stand_below_each_other_and_no_line_ends_in_blanks() -> None:
    assert list(table(("a", "bb"), [("ccc", "d"), ("e", "")])) == ["  a    bb", "  ccc  d", "  e"]


def test_a_group_that_lags_is_named_and_one_that_does_not_is_not() -> None:
    lines = answer_text(ANSWER).splitlines()
    assert lines == [
        "view fraud:v1, model fraud 3, as of 1970-01-01T00:00:01Z",
        "group risk lags behind that instant by: 2 h",
        "group new lags behind that instant by: not known",
        "",
        "score 0.25",
    ]


def test_one_instant_is_shown_once_and_two_are_told_apart() -> None:
    """An answer about an event showed two instants, and only where they differed: nobody knew which one counted."""
    about = {**PREDICTION, "as_of_us": 500_000}
    said = answer_text({**ANSWER, "predictions": [about]}).splitlines()
    assert said[0] == "view fraud:v1, model fraud 3, request of 1970-01-01T00:00:01Z"
    assert said[4:] == [
        "score 0.25",
        "as of 1970-01-01T00:00:00.500000Z, the time of its event, which the instance names",
    ]
    both = answer_text({**ANSWER, "predictions": [about, PREDICTION]})
    assert both.endswith("prediction 2: score 0.25\nas of 1970-01-01T00:00:01Z, the instant of the request")
    same = answer_text({**ANSWER, "predictions": [{**PREDICTION, "as_of_us": 1_000_000}]})
    assert same.endswith("score 0.25\nas of 1970-01-01T00:00:01Z, the instant of the request")


def test_an_explanation_says_how_many_events_of_a_window_had_a_value() -> None:
    """A mean of 3 values was shown beside 5 events: two of them had no value."""
    counts: list[tuple[int | None, int | None, str]] = [
        (5, 3, "5 (3 with a value)"), (5, 0, "5 (0 with a value)"), (5, 5, "5"), (5, None, "5"), (None, None, "-")
    ]  # fmt: skip
    for events, with_value, shown in counts:
        window = {"from_us": 0, "until_us": 2_000_000, "events": events, "events_with_value": with_value,
                  "newest_event_us": None, "newest_event_within_us": 0, "newest_event_age_seconds": None}  # fmt: skip
        features = {"g__x_mean_1h": {"value": 1.0, "origin": "stored", "group": "g", "window": window}}
        prediction = {**PREDICTION, "explanation": {"features": features, "states": {}}}
        line = answer_text({**ANSWER, "predictions": [prediction]}).splitlines()[-1]
        assert f"  g     {shown}  " in line


def test_a_category_that_training_never_saw_is_shown_as_scored_as_missing() -> None:
    features = {
        "city": {"value": "Ulm", "origin": "request", "is_unseen": True},
        "g__city_last_1d": {"value": 28776.0, "origin": "stored", "group": "g", "is_code": True, "is_unseen": True},
    }
    said = answer_text({**ANSWER, "predictions": [{**PREDICTION, "explanation": {"features": features, "states": {}}}]})
    assert "city             Ulm (never seen in training: scored as missing) " in said
    assert "code of a text that is not stored (never seen in training: scored as missing) " in said


def test_a_class_comes_with_the_probability_of_each_the_most_probable_first() -> None:
    prediction = {"class": "late", "probabilities": {"on time": 0.25, "late": 0.75}, "degraded": False}
    said = answer_text({**ANSWER, "predictions": [{**prediction, "missing_entities": []}]})
    assert said.endswith("\nclass late (late 0.75, on time 0.25)")


def test_several_predictions_are_numbered_and_what_is_missing_is_a_dash() -> None:
    second = {**PREDICTION, "degraded": True, "missing_entities": ["spend"], "features": {"mean": None, "count": 2.0}}
    said = answer_text({**ANSWER, "predictions": [PREDICTION, second]})
    assert "prediction 1: score 0.25" in said
    assert said.endswith(
        "prediction 2: score 0.25\nDEGRADED: stored features could not be used\n"
        "without events of this entity: spend\n  feature  value\n  mean     -\n  count    2"
    )


def test_a_refusal_is_told_in_the_words_of_the_endpoint() -> None:
    body = json.dumps({"title": "No model", "detail": "Train one."}).encode()
    assert problem_text(503, body) == "No model (503). Train one."


@pytest.mark.parametrize("body", [b"<html>  proxy\n error</html>", b"[]", b"{}", b"\xff"])
def test_an_answer_of_somebody_else_is_shown_as_such(body: bytes) -> None:
    said = problem_text(502, body)
    assert "status 502" in said
    assert "Correct --url" in said


def test_an_explanation_tells_a_code_in_words_and_an_instant_as_a_time() -> None:
    """A stored text was shown as 2877667225377490.0, and the instant as microseconds."""
    window = {"from_us": 0, "until_us": 2_000_000, "events": 1, "newest_event_us": 1_000_000,
              "newest_event_within_us": 0, "newest_event_age_seconds": 1.0}  # fmt: skip
    stored = {"origin": "stored", "group": "g", "window": window}
    inputs = {
        "g__firmware_last_1d": {**stored, "value": 2877667225377490.0, "is_code": True},
        "g__city_last_1d": {**stored, "value": "Bonn"},
        "as_of_us": {"origin": "instant", "value": 1_790_000_000_000_000.0},
    }
    features = {"is_new": {"value": 1.0, "origin": "on_demand", "inputs": inputs}}
    prediction = {**PREDICTION, "explanation": {"features": features, "states": {}}}
    said = answer_text({**ANSWER, "predictions": [prediction]})
    assert "g__firmware_last_1d  code of a text that is not stored  g " in said
    assert "g__city_last_1d      Bonn " in said
    assert "as_of_us             2026-09-21T14:13:20Z " in said
    assert "28776" not in said
    assert "17900" not in said
