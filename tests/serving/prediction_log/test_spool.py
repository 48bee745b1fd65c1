"""The spool: within its bound, nothing is lost, and what a process leaves behind is sent by another one."""

import subprocess
import sys

import pytest

from serving.prediction_log import spool
from serving.prediction_log.spool import Spool

ROOM = 1 << 20


def taken(each):
    """All records that it has, as a sender takes them."""
    records = []
    while segment := each.take():
        records += segment.records
        each.done(segment)
    return records


def test_records_come_back_in_their_order_and_leave_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "_SEGMENT_BYTES", 100)
    own = Spool(tmp_path, "a", ROOM)
    records = [b"record %d" % number for number in range(50)]
    assert all(map(own.append, records))
    assert own.length == sum(len(each) + 1 for each in records)
    assert len(list((tmp_path / "a").glob("*.jsonl"))) == 5
    assert taken(own) == records
    assert own.length == 0
    assert own.append(b"later")
    assert taken(own) == [b"later"]
    own.close()
    assert list(tmp_path.iterdir()) == []


def test_beyond_its_bound_it_refuses_and_takes_again_when_there_is_room(tmp_path):
    own = Spool(tmp_path, "a", 20)
    assert own.append(b"0123456789")
    assert not own.append(b"0123456789")
    assert taken(own) == [b"0123456789"]
    assert own.append(b"0123456789")
    own.close()


def test_a_disk_that_refuses_is_a_refusal_and_no_error(tmp_path):
    (tmp_path / "file").write_text("")
    assert not Spool(tmp_path / "file", "a", ROOM).append(b"x")


def test_a_segment_is_kept_until_kafka_has_it(tmp_path):
    own = Spool(tmp_path, "a", ROOM)
    own.append(b"x")
    segment = own.take()
    assert segment is not None
    assert segment.left == 1
    own.close()
    other = Spool(tmp_path, "b", ROOM)
    assert other.take_over() == 1
    assert taken(other) == [b"x"]


@pytest.mark.parametrize("ends", ["self.close()", "os.kill(os.getpid(), 9)"])
def test_what_a_process_leaves_behind_is_taken_over_once_it_has_ended(tmp_path, ends):
    """A line that its process was writing when it died is no record."""
    program = f"""
import os, sys
from pathlib import Path
from serving.prediction_log.spool import Spool
self = Spool(Path({str(tmp_path)!r}), "a", 1000)
self.append(b"one"); self.append(b"two")
(Path({str(tmp_path)!r}) / "a" / "00000009.jsonl").write_bytes(b"three\\nfo")
print("written", flush=True); sys.stdin.readline(); {ends}
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "written\n"
        own, late = Spool(tmp_path, "b", ROOM), Spool(tmp_path, "c", ROOM)
        assert own.take_over() == 0  # it lives
        child.communicate("end\n")
    assert own.take_over() == 2
    assert late.take_over() == 0  # they are another one's
    assert own.length == len(b"one\ntwo\nthree\nfo")
    assert taken(own) == [b"one", b"two", b"three"]
    own.close()
    assert list(tmp_path.iterdir()) == []
