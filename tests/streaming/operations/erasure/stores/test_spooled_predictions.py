"""Predictions on the endpoint's disk: what a process left behind is emptied, what a living one holds is waited for."""

from __future__ import annotations

import threading
import time

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
    later = threading.Timer(0.5, own.done, [sent])
    later.start()
    began_s = time.monotonic()
    assert erasure.erase(within(60)) == 0
    assert time.monotonic() - began_s > 0.2
    later.join()
    own.close()


def test_a_process_that_ends_meanwhile_leaves_its_files_to_the_erasure(tmp_path):
    own = spool(tmp_path, "a")
    later = threading.Timer(0.5, own.close)
    later.start()
    assert SpooledPredictions(tmp_path, GONE).erase(within(60)) == 3
    later.join()


def test_a_directory_of_another_machine_has_nothing(tmp_path):
    nothing = SpooledPredictions(tmp_path / "none", GONE)
    assert (nothing.count(), nothing.erase(within(0))) == (0, 0)
