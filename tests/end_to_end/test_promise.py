"""The promise at its edges, through the real programs: served is what is trained, nothing is silently wrong.

One stack for all tests. What is asked while it runs comes first; the last tests look at what it left in the lake.
"""

from __future__ import annotations

import json
import random
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest
import redis

from shared_features.formats.dataset_manifest import DatasetParameters
from shared_features.formats.offline_tables import DEAD_LETTERS_TABLE, features_table
from shared_features.formats.online_state import meta_key
from shared_features.kernel.event_time import to_text
from tests.domains.tills import RETURN, RETURNS, SPEND, TILL, WEB
from tests.end_to_end.job import LATENESS_S, ROOT
from tests.end_to_end.tills_stack import (
    DAY_MS,
    HOUR_MS,
    NOW_MS,
    OLD_MS,
    SALES,
    SAME_MS,
    Notice,
    TillsStack,
    history,
    notices,
    now_ms,
    said,
    sale,
    sold_ms,
    stored,
    tills_stack,
    truth,
)
from training.datasets.dataset_builder import build_dataset
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.datasets.time_split import TRAIN

pytestmark = [
    pytest.mark.slow,
    pytest.mark.deep,
]  # its parts are tested one by one, in kernel, stream, serving and training
RACE, GOLD = "race|ü", "gölden"
ROUNDED = [  # amount, far, fine, and what is right
    ("0.575", "41531670457083.59", "4353339.386355275", (58, 4153167045708359, 4353339386355275)),
    ("0.57499999999999999999999999", "-0.575", "5e-10", (57, -58, 0)),
    ("1.005", "44999999999999.985", "1.5e-9", (100, 4499999999999998, 2)),
]


@pytest.fixture(scope="module")
def tills(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TillsStack]:
    with tills_stack(tmp_path_factory.mktemp("tills"), history()) as stack:
        yield stack


def edge_after_ms(ahead_ms: int) -> int:
    """The first edge of a minute that lies so far ahead; the hops of an hour's window are minutes."""
    return -(-(now_ms() + ahead_ms) // 60_000) * 60_000


def test_an_event_that_comes_ahead_of_its_time_counts_from_just_after_its_time(tills: TillsStack) -> None:
    """At the edge of a hop, and a millisecond before it. The windows of a day and a week have hops of an hour."""
    edge_ms = edge_after_ms(60_000)
    tills.send([(TILL.topic, sale(8_100, edge_ms, "ähead")), (WEB.topic, sale(8_101, edge_ms - 1, "ähead"))])
    events = tills.events("ähead")
    for at_us, count in [
        (now_ms() * 1000, 0),
        (edge_ms * 1000 - 1000, 0),
        (edge_ms * 1000 - 999, 1),
        (edge_ms * 1000, 1),
        (edge_ms * 1000 + 1, 2),
    ]:
        found = tills.features(said("ähead"), as_of=at_us)
        assert [found[f"count_{window}"] for window in ("1h", "1d", "7d")] == [count] * 3, to_text(at_us)
        assert stored(found) == truth(events, at_us)


def test_now_an_event_does_not_count_before_its_time_and_counts_after(tills: TillsStack) -> None:
    due_ms = now_ms() + 4_000
    tills.send([(TILL.topic, sale(8_110, due_ms, "söon"))])
    seen = set()
    for _ in range(2):
        answer = tills.ask(said("söon")).json()
        count = answer["predictions"][0]["features"]["spend__count_1h"]
        assert count == (1 if answer["as_of_us"] > due_ms * 1000 else 0)
        seen.add(count)
        time.sleep(max(0.0, (due_ms + 50 - now_ms()) / 1000))
    assert 1 in seen


def test_a_sale_that_is_streamed_before_it_is_asked_about_does_not_count_itself(tills: TillsStack) -> None:
    """Asked before it is streamed and after, by its time or `as_of`: one answer, which is kept for the training row."""
    tills.send([(WEB.topic, sale(8_000, now_ms() - 1000, RACE, amount="7.25"))])
    at_ms = now_ms()
    about = said(RACE, amount="12.5", plan="gold")
    before = tills.features(f'"at": {at_ms}, {about}')
    assert (before["count_1d"], before["amount_sum_1d"], before["amount_last_1d"]) == (1, 7.25, 7.25)
    tills.send([(TILL.topic, sale(8_001, at_ms, RACE, amount="12.5", plan="gold"))])
    assert tills.features(f'"at": {at_ms}, {about}') == before
    assert tills.features(about, as_of=at_ms * 1000) == before
    assert tills.features(f'"at": {at_ms}, {about}', as_of=(at_ms + 500) * 1000) == before
    after = tills.features(about, as_of=at_ms * 1000 + 1)
    assert (after["count_1d"], after["amount_sum_1d"], after["was_gold"]) == (2, 19.75, 1)
    tills.kept[8_001] = before


def test_every_instant_of_the_head_is_exact_though_the_entity_is_busy(tills: TillsStack) -> None:
    """And before it there is a refusal that says what can be had. The instants lie at and around events."""
    chance, until_ms = random.Random(5), now_ms()
    times_ms = [until_ms - chance.randrange(90_000) for _ in range(60)]
    topics = [chance.choice((TILL.topic, WEB.topic)) for _ in times_ms]
    sent = [
        (topic, sale(8_200 + n, at_ms, "busy", amount=str(n % 9)))
        for n, (topic, at_ms) in enumerate(zip(topics, times_ms, strict=True))
    ]
    tills.send([*sent, *sent[:5]], until_ms)
    head_us = SPEND.layout.head_us
    first_us = max(times_ms) * 1000 - head_us
    asked = [at_ms * 1000 + beside for at_ms in chance.sample(times_ms, 10) for beside in (-1, 0, 1)]
    events = tills.events("busy")
    assert len(events) == 65, "five came twice"
    for as_of_us in [first_us, first_us + 1, max(times_ms) * 1000 + 1, *asked]:
        assert stored(tills.features(said("busy"), as_of=as_of_us)) == truth(events, as_of_us)
    problem = tills.refused(said("busy"), as_of=first_us - 1)
    assert (problem["type"], problem["exact_from_us"]) == ("/docs#early-instant", first_us)


def test_nine_days_back_the_truth_is_told_or_the_command_that_tells_it(tills: TillsStack) -> None:
    """Of who was not seen since, it is in the head. Of the other, the command of the refusal replays it."""
    as_of_us = (OLD_MS + DAY_MS // 2) * 1000
    assert tills.features(said("öld"), as_of=as_of_us)["count_7d"] == 4
    tills.send([(TILL.topic, sale(8_300, now_ms(), "old|busy"))])
    problem = tills.refused(said("old|busy"), as_of=as_of_us)
    assert problem["type"] == "/docs#early-instant"
    said_words = shlex.split(problem["detail"].partition("slow and exact: ")[2].partition(" (where")[0])
    command = [sys.executable, "-m", "streaming", *said_words[said_words.index("history") :], "--json"]
    done = subprocess.run(command, cwd=ROOT, env=tills.job.environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (told,) = json.loads(done.stdout)["instances"]
    features = {name.removeprefix("spend__"): value for name, value in told["features"].items()}
    assert (features["count_7d"], features["amount_sum_7d"], told["lacks"]) == (4, 20, [])
    assert stored(features) == truth(tills.events("old|busy"), as_of_us)


@pytest.mark.parametrize(
    ("as_of", "words"),
    [(NOW_MS // 1000, "In seconds it is"), (NOW_MS, "In milliseconds it is"), (NOW_MS * 10**6, "$.as_of")],
    ids=["seconds", "milliseconds", "nanoseconds"],  # each worker of the tests has a time of its own
)
def test_an_instant_in_another_unit_is_refused_with_the_likely_one(tills: TillsStack, as_of: int, words: str) -> None:
    assert words in tills.refused(said("öld"), as_of)["detail"]


@pytest.mark.parametrize("user", ["öld", "never seen"])
def test_the_time_of_an_event_in_another_unit_is_refused(tills: TillsStack, user: str) -> None:
    assert "1970" in tills.refused(f'"at": {NOW_MS // 1000}, {said(user)}')["detail"]


def test_equal_sales_of_two_sources_are_two_and_a_copy_is_none(tills: TillsStack) -> None:
    at_us = (SAME_MS + HOUR_MS) * 1000
    found = tills.features(said("same"), as_of=at_us)
    assert (found["count_1d"], found["amount_sum_1d"], found["amount_last_1d"]) == (2, 10, 5)
    assert tills.features(said("same"), as_of=at_us + 1)["count_1d"] == 3


def test_a_decimal_is_rounded_once_in_the_event_and_in_the_request(tills: TillsStack) -> None:
    sent = [
        (WEB.topic, sale(8_400 + n, now_ms() - 1, f"rounded {n}", amount=amount, far=far, fine=fine))
        for n, (amount, far, fine, _) in enumerate(ROUNDED)
    ]
    tills.send(sent)
    rows = pl.read_delta(str(tills.job.lake / "events_web")).sort("sale").filter(pl.col("user").str.contains("rounded"))
    assert rows.select("amount", "far", "fine").rows() == [right for *_, right in ROUNDED]
    for n, (amount, far, fine, right) in enumerate(ROUNDED):
        found = tills.features(said(f"rounded {n}", amount=amount, far=far, fine=fine))
        assert (found["far_since_last"], found["fine_since_last"]) == (0, 0)
        assert found["amount"] == found["amount_last_1d"] == float(pl.Series([right[0] / 100], dtype=pl.Float32)[0])


def test_a_text_is_compared_with_a_text_in_an_answer(tills: TillsStack) -> None:
    at_ms = now_ms()
    tills.send([(TILL.topic, sale(8_500, at_ms, GOLD, plan="gold")), (TILL.topic, sale(8_501, at_ms, "plain"))])
    found = [
        tills.features(said(user, plan=plan)) for user, plan in ((GOLD, "basic"), ("plain", "gold"), ("new", "Gold"))
    ]
    assert [(each["is_gold"], each["was_gold"]) for each in found] == [(0, 1), (1, 0), (0, 0)]


def test_damaged_bytes_are_refused_and_only_a_key_that_is_not_there_is_missing(tills: TillsStack) -> None:
    at_ms = now_ms()
    tills.send([(TILL.topic, sale(8_600 + n, at_ms - n, user)) for n, user in enumerate(("damaged", "another"))])
    chance = random.Random(3)
    with redis.Redis.from_url(tills.redis_url) as client:
        key, other = (next(client.scan_iter(f"*:e:{user}", count=10_000)) for user in ("damaged", "another"))
        whole = client.get(key)
        assert isinstance(whole, bytes)
        flipped = [
            whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1 :] for at in range(len(whole))
        ]
        for damaged in [b"x", b"", whole[:-1], whole + b"\0", client.get(other), *flipped]:
            client.set(key, damaged)
            answered = tills.ask(said("damaged"))
            assert (answered.status_code, answered.json()["type"]) == (503, "/docs#unreadable-state"), damaged
        client.delete(key)
        client.hset(key, "a", "b")
        assert tills.ask(said("damaged")).status_code == 503
        client.delete(key)
        (prediction,) = tills.ask(said("damaged")).json()["predictions"]
        assert prediction["missing_entities"] == ["spend"]
        client.set(key, whole)
    assert tills.features(said("damaged"))["count_1d"] == 1
    metrics = tills.metrics()
    assert metrics['serving_unreadable_states_total{group="spend"}'] >= len(flipped)


def test_the_meta_of_another_shard_is_refused_and_the_shard_is_rebuilt_with_the_same_values(tills: TillsStack) -> None:
    as_of_us = (SAME_MS + 2 * HOUR_MS) * 1000
    before = tills.features(said("same"), as_of=as_of_us)
    with redis.Redis.from_url(tills.redis_url) as client:
        held = next(client.scan_iter("*:e:same", count=10_000))
        own, other = (meta_key(tills.job.namespace, SPEND, number) for number in (0, 1))
        if not held.startswith(own.removesuffix(b"meta")):
            own, other = other, own
        meta = client.get(other)
        assert isinstance(meta, bytes)
        client.set(own, meta)
    assert tills.ask(said("same"), as_of_us).status_code == 503
    tills.job.until(lambda: tills.ask(said("same"), as_of_us).status_code == 200, 60, lambda: "an answer")
    assert tills.features(said("same"), as_of=as_of_us) == before


@pytest.fixture(scope="module")
def ended(tills: TillsStack) -> TillsStack:
    """The job has written the training rows of all that was sent, and has stopped; its stores equal the oracle."""
    until_ms = now_ms() + 150_000
    tills.send([(topic, sale(9_999, now_ms(), "nobody")) for topic in (TILL.topic, WEB.topic)], until_ms)
    notice = {"notice": "last", "at": now_ms(), "sale": 9_999, "returned": False}
    tills.send([(RETURNS.topic, json.dumps(notice).encode())], until_ms)
    tills.job.wait_for_cut(until_ms * 1000, within_s=120)
    assert tills.job.stop() == 0
    assert tills.job.check_truth()["dead"] == 1
    return tills


def test_the_training_row_of_a_sale_has_the_numbers_that_were_served(ended: TillsStack) -> None:
    assert ended.kept
    rows = pl.read_delta(str(ended.job.lake / features_table(SPEND, TILL)))
    events = pl.read_delta(str(ended.job.lake / "events_till"))
    at = ["kafka_partition", "kafka_offset"]
    for number, served in ended.kept.items():
        (row,) = rows.join(events.filter(pl.col("sale") == number).select(at), on=at).to_dicts()
        assert stored(served) == {name: float32(row[name]) for name in stored(served)}


def test_the_rows_of_equal_sales_and_of_a_copy(ended: TillsStack) -> None:
    rows = pl.read_delta(str(ended.job.lake / features_table(SPEND, TILL))).filter(pl.col("entity_key") == "same")
    rows = rows.sort("kafka_offset")
    assert rows["copy"].to_list() == [False, True, False]
    assert rows["count_1d"].to_list() == [0.0, 0.0, 2.0]
    assert rows["amount_sum_1d"].to_list() == [0.0, 0.0, 10.0]


def test_a_time_in_seconds_is_a_dead_letter_that_says_so(ended: TillsStack) -> None:
    (reason,) = pl.read_delta(str(ended.job.lake / DEAD_LETTERS_TABLE))["reason"].to_list()
    right = to_text((SAME_MS + HOUR_MS) // 1000 * 1_000_000)
    assert reason.startswith("from the past: 1970-01-")
    assert f"; in seconds it is {right} - at $.at (topic shop.till" in reason


def test_the_label_that_arrived_last_before_the_window_counts_and_functions_are_those_of_answers(
    ended: TillsStack,
) -> None:
    parameters = DatasetParameters(train_days=6, delay_days=0, test_days=3)
    pinned = pin_view(OfflineStore(ended.job.lake), RETURN, LATENESS_S * 1_000_000)
    dataset, _ = build_dataset(pinned, parameters)
    split = dataset.manifest.split
    before_ms = {True: split.test_start_us // 1000, False: dataset.manifest.labels.cutoff_us // 1000}
    labelled = list(zip(dataset.event_time_us.tolist(), dataset.window.tolist(), dataset.label.tolist(), strict=True))
    kinds = set()
    for time_us, window, label in labelled:
        wanted = known_label(time_us // 1000, before_ms[window == TRAIN])
        assert wanted is not None, "a sale whose label had not arrived is in a window"
        assert label == wanted[3], f"the sale of {time_us} in window {window}"
        kinds.add((window == TRAIN, wanted[2] > wanted[1]))
    assert kinds >= {(True, True), (True, False), (False, True)}, "first and corrected labels, in both windows"
    sold = [sold_ms(number) for number in range(SALES)]
    wanted_times = [
        at_ms
        for at_ms in sold
        if split.start_us <= at_ms * 1000 < split.end_us
        and known_label(at_ms, before_ms[at_ms * 1000 < split.test_start_us]) is not None
    ]
    assert sorted(time_us // 1000 for time_us, _, _ in labelled) == wanted_times


def known_label(at_ms: int, before_ms: int) -> Notice | None:
    """The sale's notice that arrived last before an instant."""
    found = [each for each in notices() if sold_ms(each[0]) == at_ms and each[2] < before_ms]
    return max(found, key=lambda each: each[2], default=None)


def float32(value: Any) -> float | None:
    return None if value is None or value != value else float(pl.Series([value], dtype=pl.Float32)[0])
