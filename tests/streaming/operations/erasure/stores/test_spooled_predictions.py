"""Predictions on the endpoint's disk: what a process left behind is emptied, what a living one holds is waited for."""

from __future__ import annotations

import pytest

from serving.prediction_log.spool import Spool
from shared_features.formats.prediction_log import decode_record, encode_record, erased
from streaming.errors import RefusedError
from streaming.operations.erasure.stores.log_ends import within
from streaming.operations.erasure.stores.spooled_predictions import SpooledPredictions
from streaming.operations.erasure.subjects.subject import Subject
from tests.streaming.archive.test_stored_predictions import logged
from tests.streaming.small_domain import PAYER

GONE = [Subject(PAYER.entity, ("77",), frozenset({"payer"}))]
RECORDS = [logged(number, payer=(77, 5)[number % 2]) for number in range(6)]


def spool(directory, instance):
    found = Spool(directory, instance, 1 << 20)
    assert all(found.append(encode_record(each)) for each in RECORDS)
    return found


def left_in(directory):
    found = []
    other = Spool(directory, "other", 1 << 20)
    other.take_over()
    while segment := other.take():
        found += [decode_record(each) for each in segment.records]
    other.close()
    return found


def test_what_a_process_left_behind_is_emptied_and_still_sent(tmp_path):
    spool(tmp_path, "a").close()
    segment = next(tmp_path.glob("a/*.jsonl"))
    segment.write_bytes(segment.read_bytes() + encode_record(RECORDS[0])[:-20])  # it died while it wrote this
    erasure = SpooledPredictions(tmp_path, GONE)
    assert erasure.count() == 3
    assert erasure.erase(within(0)) == 3
    sealed = [decode_record(encode_record(each)) for each in RECORDS]
    assert left_in(tmp_path) == [erased(each) if each.counter % 2 == 0 else each for each in sealed]
    assert b'payer\\":77' not in segment.read_bytes()
    assert (erasure.count(), erasure.erase(within(0))) == (0, 0)


def test_a_line_that_cannot_be_read_goes_only_where_it_names_the_entity(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "00000001.jsonl").write_bytes(b'{"request":"{payer:77"\n{"request":"{payer:5"\n')
    assert SpooledPredictions(tmp_path, GONE).erase(within(0)) == 1
    assert (tmp_path / "a" / "00000001.jsonl").read_bytes() == b'{"request":"{payer:5"\n'


def test_a_living_process_is_waited_for_until_kafka_has_its_files(tmp_path):
    own = spool(tmp_path, "a")
    erasure = SpooledPredictions(tmp_path, GONE)
    with pytest.raises(RefusedError, match=r"holds 1 file of predictions in .* that Kafka does not have yet"):
        erasure.erase(within(0.1))
    sent = own.take()
    assert sent is not None
    looks = 0

    def is_over() -> bool:
        nonlocal looks
        looks += 1
        if looks == 2:
            own.done(sent)
        return looks > 2

    assert erasure.erase(is_over) == 0
    assert looks == 2
    own.close()


def test_a_process_that_ends_meanwhile_leaves_its_files_to_the_erasure(tmp_path):
    own = spool(tmp_path, "a")

    def is_over() -> bool:
        own.close()
        return False

    assert SpooledPredictions(tmp_path, GONE).erase(is_over) == 3


def test_a_directory_of_another_machine_has_nothing(tmp_path):
    nothing = SpooledPredictions(tmp_path / "none", GONE)
    assert (nothing.count(), nothing.erase(within(0))) == (0, 0)
