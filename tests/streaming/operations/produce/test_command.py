"""`produce` with a simulated Kafka: what lies in the topics is what the stream reads as the file's events."""

import json
import time

import pyarrow as pa
import pytest
from confluent_kafka import Consumer, TopicPartition
from deltalake import CommitProperties, Transaction, write_deltalake

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from shared_features import load_definitions
from shared_features.formats.offline_tables import WATERMARK_APP, events_table
from streaming.command_line import build_parser
from streaming.errors import EXIT_OK, EXIT_REFUSED, RefusedError
from streaming.operations.produce import command, feed
from streaming.settings import load_settings

TOPICS = {"lab.samples": 1, "lab.alarms": 1}
DAY_MS, FIRST_MS = 86_400_000, 1_700_000_000_000


@pytest.fixture(scope="module")
def simulator():
    with KafkaSimulator(TOPICS) as running:
        yield running


@pytest.fixture
def settings(simulator, tmp_path):
    return load_settings(
        definitions="tests.domains.probes",
        kafka_bootstrap_servers=simulator.bootstrap_servers,
        lake=tmp_path / "lake",
        topic_mode="embedded",
    )


@pytest.fixture
def samples(tmp_path):
    """Three rows out of order: seconds in place of milliseconds, other names of columns, one value out of bounds."""
    file = tmp_path / "samples.csv"
    file.write_text(
        "Sample;at;probe;value;other;alarm\n"
        f"s2;{FIRST_MS // 1000 + 60};p1;1.25;x;1\n"
        f"s1;{FIRST_MS // 1000};p1;0.5;x;0\n"
        f"s3;{FIRST_MS // 1000 + 120};p2;5000;x;0\n"
    )
    return file


def produce(settings, *arguments):
    return command.run(settings, build_parser().parse_args(["produce", *map(str, arguments)]))


def ends(simulator):
    consumer = Consumer({"bootstrap.servers": simulator.bootstrap_servers, "group.id": "t", "log_level": 0})
    found = {name: consumer.get_watermark_offsets(TopicPartition(name, 0), 10)[1] for name in TOPICS}
    consumer.close()
    return found


def records(simulator, topic, after):
    consumer = Consumer({"bootstrap.servers": simulator.bootstrap_servers, "group.id": "t", "log_level": 0})
    consumer.assign([TopicPartition(topic, 0, after)])
    count = ends(simulator)[topic] - after
    found: list[tuple[bytes | None, int, object]] = []
    while len(found) < count:
        if (message := consumer.poll(10)) is not None:
            found.append((message.key(), message.timestamp()[1], json.loads(message.value() or b"")))
    consumer.close()
    return found


def test_the_check_shows_what_fits_and_sends_nothing(simulator, settings, samples, capsys):
    before = ends(simulator)
    assert produce(settings, samples, "--source", "samples", "--check-only") == EXIT_REFUSED
    said = capsys.readouterr().out
    assert "sample  Sample" in said
    assert "epoch in s" in said
    assert "columns that no field takes, not sent: other, alarm" in said
    assert "of the first 3 rows, 2 are events" in said
    assert "1 would be a dead letter: out of bounds -1000 to 1000 - at $.value" in said
    assert ends(simulator) == before


def test_a_machine_gets_one_document_and_a_person_reads_the_rest(settings, samples, capsys):
    assert produce(settings, samples, "--source", "samples", "--check-only", "--json") == EXIT_REFUSED
    said = capsys.readouterr()
    told = json.loads(said.out)
    (file,) = told["files"]
    assert (told["sent"], told["moved_to_us"], file["source"], file["topic"]) == (None, None, "samples", "lab.samples")
    assert (file["tried"], file["events"], list(file["dead_letters"].values())) == (3, 2, [1])
    assert (file["columns"]["sample"], file["not_sent"]) == ("Sample", ["other", "alarm"])
    assert (file["earliest_us"], file["newest_us"]) == (FIRST_MS * 1000, FIRST_MS * 1000 + 120_000_000)
    assert "of the first 3 rows, 2 are events" in said.err
    assert produce(settings, samples, "--source", "samples", "--rows", "2", "--json") == EXIT_OK
    assert json.loads(capsys.readouterr().out)["sent"] == 2


def test_rows_that_would_be_dead_letters_need_a_yes(simulator, settings, samples, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    before = ends(simulator)
    with pytest.raises(RefusedError, match="add --yes"):
        produce(settings, samples, "--source", "samples")
    assert ends(simulator) == before


def test_history_is_sent_in_order_with_its_own_times_and_the_key_of_its_entity(simulator, settings, samples):
    after = ends(simulator)["lab.samples"]
    assert produce(settings, samples, "--source", "samples", "--yes") == EXIT_OK
    assert records(simulator, "lab.samples", after) == [
        (b"p1", FIRST_MS, {"sample": "s1", "at": FIRST_MS, "probe": "p1", "value": 0.5}),
        (b"p1", FIRST_MS + 60_000, {"sample": "s2", "at": FIRST_MS + 60_000, "probe": "p1", "value": 1.25}),
        (b"p2", FIRST_MS + 120_000, {"sample": "s3", "at": FIRST_MS + 120_000, "probe": "p2", "value": 5000}),
    ]


def test_one_file_feeds_two_sources_and_all_times_move_together(simulator, settings, samples):
    """A file whose rows carry their outcome: the label is an event of its own, keyed by what it is joined on."""
    after = ends(simulator)["lab.alarms"]
    asked = ("--source", "samples", "--source", "alarms", "--map", "alarms.alarm=Sample", "--map",
             "alarms.raised=alarm", "--rows", "2", "--move-days", "2")  # fmt: skip
    assert produce(settings, samples, *asked) == EXIT_OK
    moved = FIRST_MS + 2 * DAY_MS
    assert records(simulator, "lab.alarms", after) == [
        (b"s1", moved, {"alarm": "s1", "at": moved, "sample": "s1", "raised": False}),
        (b"s2", moved + 60_000, {"alarm": "s2", "at": moved + 60_000, "sample": "s2", "raised": True}),
    ]


def test_a_row_is_stamped_with_the_time_at_which_it_became_known(simulator, settings, tmp_path):
    file = tmp_path / "late.jsonl"
    file.write_text('{"sample":"s9","at":1700000000000,"probe":"p","value":1,"meta":{"got":"2023-11-15T00:00:00"}}\n')
    after = ends(simulator)["lab.samples"]
    asked = ("--source", "samples", "--arrival", "meta.got", "--timezone", "Europe/Berlin")
    assert produce(settings, file, *asked) == EXIT_OK
    assert records(simulator, "lab.samples", after) == [
        (b"p", 1_700_002_800_000, {"sample": "s9", "at": 1_700_000_000_000, "probe": "p", "value": 1})
    ]


def test_a_rate_is_kept(settings, samples):
    began_s = time.monotonic()
    produce(settings, samples, "--source", "samples", "--rows", "2", "--rate", "2")
    assert time.monotonic() - began_s >= 0.5


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("sample,at,prob,value\n1,2,3,4\n", "no column for the field probe. Did you mean 'prob'?"),
        ("sample,at,probe,value\n", "has no rows"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_what_to_write(settings, tmp_path, content, said):
    file = tmp_path / "samples.csv"
    file.write_text(content)
    with pytest.raises(RefusedError) as caught:
        produce(settings, file, "--source", "samples")
    assert said in str(caught.value)


def test_a_map_of_a_field_that_no_source_has_is_refused(settings, samples):
    with pytest.raises(RefusedError, match="Did you mean 'probe'"):
        produce(settings, samples, "--source", "samples", "--map", "prob=other")


def test_an_unknown_column_that_appears_after_the_first_rows_is_told_at_the_end(
    settings, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(feed, "SAMPLE", 1)
    file = tmp_path / "samples.jsonl"
    row = {"sample": "u1", "at": FIRST_MS, "probe": "p", "value": 1}
    file.write_text(json.dumps(row) + "\n" + json.dumps(row | {"sample": "u2", "colour": "red"}) + "\n")
    assert produce(settings, file, "--source", "samples") == EXIT_OK
    assert (
        "columns that appeared after the first rows and that no field takes, not sent: colour"
        in (capsys.readouterr().out.splitlines()[-1])
    )


def test_what_is_told_about_history_is_about_the_whole_file(simulator, settings, tmp_path, monkeypatch, capsys):
    """Only a row behind the sample is older than what the archive has closed."""
    monkeypatch.setattr(feed, "SAMPLE", 1)
    table = settings.lake / events_table(load_definitions(settings.definitions).source("samples"))
    watermark = Transaction(WATERMARK_APP, (FIRST_MS + 1000) * 1000)
    commit = CommitProperties(app_transactions=[watermark])
    write_deltalake(table, pa.table({"x": [1]}), mode="append", commit_properties=commit)
    rows = [{"sample": f"h{at}", "at": FIRST_MS + at, "probe": "p", "value": 1} for at in (5000, 0)]
    file = tmp_path / "samples.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert produce(settings, file, "--source", "samples", "--rows", "1") == EXIT_OK
    assert "the archive is complete" not in capsys.readouterr().out
    assert produce(settings, file, "--source", "samples") == EXIT_OK
    assert "samples: the archive is complete up to 2023-11-14T22:13:21Z" in capsys.readouterr().out


def test_where_the_output_is_no_terminal_nothing_is_drawn(settings, samples, capsys):
    produce(settings, samples, "--source", "samples", "--rows", "2")
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "2 rows sent in" in said


def test_numbers_with_a_decimal_comma_are_told_and_read_where_it_is_asked(simulator, settings, tmp_path, capsys):
    file = tmp_path / "samples.csv"
    file.write_text(f"sample;at;probe;value\nc1;{FIRST_MS};p;0,75\nc2;{FIRST_MS};p;-0,5\n")
    assert produce(settings, file, "--source", "samples", "--check-only") == EXIT_REFUSED
    assert "value has decimal commas in 2 rows, such as 0,75: add --decimal-comma" in capsys.readouterr().out
    after = ends(simulator)["lab.samples"]
    assert produce(settings, file, "--source", "samples", "--decimal-comma") == EXIT_OK
    assert [event["value"] for _, _, event in records(simulator, "lab.samples", after)] == [0.75, -0.5]


def test_a_file_without_ids_says_how_to_number_its_rows(simulator, settings, tmp_path):
    file = tmp_path / "samples.csv"
    file.write_text(f"at,probe,value\n{FIRST_MS},p,1\n{FIRST_MS},p,1\n")
    with pytest.raises(RefusedError, match=r"It is the event id, .* --map sample=#row"):
        produce(settings, file, "--source", "samples")
    after = ends(simulator)["lab.samples"]
    assert produce(settings, file, "--source", "samples", "--map", "sample=#row") == EXIT_OK
    assert [event["sample"] for _, _, event in records(simulator, "lab.samples", after)] == ["1", "2"]


def test_a_time_of_arrival_may_appear_late_and_rows_without_it_have_their_event_time(
    simulator, settings, tmp_path, monkeypatch
):
    monkeypatch.setattr(feed, "SAMPLE", 1)
    file = tmp_path / "samples.jsonl"
    row = {"at": FIRST_MS, "probe": "p", "value": 1}
    rows = [row | {"sample": "a1"}, row | {"sample": "a2", "got": FIRST_MS // 1000 + 9}, row | {"sample": "a3"}]
    file.write_text("".join(json.dumps(each) + "\n" for each in rows))
    after = ends(simulator)["lab.samples"]
    assert produce(settings, file, "--source", "samples", "--arrival", "got") == EXIT_OK
    assert [(event["sample"], stamp) for _, stamp, event in records(simulator, "lab.samples", after)] == [
        ("a1", FIRST_MS),
        ("a3", FIRST_MS),
        ("a2", FIRST_MS + 9_000),
    ]
    with pytest.raises(RefusedError, match="--arrival names column gott, which it lacks"):
        produce(settings, file, "--source", "samples", "--arrival", "gott", "--rows", "2")
