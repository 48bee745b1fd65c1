"""What a person says about the columns comes before every guess, and is refused where it cannot be."""

import datetime as dt

import pytest

from deploy.project.errors import ProjectError
from deploy.project.options import parse_options
from deploy.project.proposal import propose
from deploy.project.wishes import Wishes

BEGAN = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
ROWS = [
    {
        "request": f"r{number}",
        "ts": (BEGAN + dt.timedelta(minutes=number)).isoformat(),
        "sec": 1_790_000_000 + 60 * number,
        "client.ip": f"10.0.0.{number % 50}",
        "host.name": f"web-{number % 3}",
        "user": f"u{number % 5}" if number % 4 else None,
        "status": 500 if number % 7 == 0 else 200,
        "ms": f"{number}.5",
        "kind": ("bot", "person", "mail")[number % 3],
        "failed_within_a_minute": number % 9 == 0,
        "same": "x",
    }
    for number in range(200)
]


def proposed(**wishes):
    return propose("logs", "requests.jsonl", ROWS, wishes=Wishes(**wishes))


def test_without_a_wish_the_name_of_the_label_says_its_delay_and_the_other_keys_are_named():
    found = proposed()
    assert (found.roles.label.name, found.delay_us) == ("failed_within_a_minute", 60_000_000)
    assert found.roles.key.name == "client.ip"
    assert "host.name" in found.roles.why["key"]
    assert "would do, too: --key" in found.roles.why["key"]


@pytest.mark.parametrize("name", ["host.name", "host_name"])
def test_a_key_is_named_by_its_column_or_its_field(name):
    found = proposed(key=name)
    assert (found.roles.key.name, found.entity) == ("host.name", "host")
    assert found.roles.why["key"] == "you named it; it has 3 different values"


def test_each_role_may_be_named():
    found = proposed(event_time="sec", event_id="request", key="status", label="kind", delay_us=5)
    roles = found.roles
    assert [each.name for each in (roles.time, roles.id, roles.key, roles.label)] == [
        "sec",
        "request",
        "status",
        "kind",
    ]
    assert found.delay_us == 5
    assert "failed_within_a_minute" in [each.name for each in found.spine], "no label any more"
    assert "kind" not in [each.name for each in found.spine]
    assert proposed(no_label=True).roles.label is None
    assert not [note for note in proposed(no_label=True).roles.unknown if "label" in note]


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"key": "host.nam"}, r"--key names host.nam, and the file has no such column\. Did you mean 'host.name'\?"),
        ({"key": "ms"}, "--key ms: it is a number with decimals, and a key is a text or a whole number"),
        ({"key": "ts"}, "--key ts: it is a time"),
        ({"key": "user"}, '--key user: 50 rows lack it, and a key is never missing. Write "unknown" there'),
        ({"event_time": "kind"}, "--event-time kind: its values are not read as times, such as 'bot'"),
        ({"label": "request"}, "it is a text with 200 different values, such as 'r0'|no such"),
        (
            {"label": "kind == bot"},
            "--label names kind == bot, which is a condition. Name the column alone: --label kind",
        ),
        ({"label": "kid == bot"}, "--label names kid == bot, and the file has no such column"),
        ({"label": "ts"}, "--label ts: it is a time. Name a column of outcomes"),
        ({"label": "same"}, "--label same: all rows have one value"),
        ({"label": "status", "key": "status"}, "--key and --label both name status. Name two columns"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(wishes, said):
    if wishes == {"label": "request"}:
        rows = [*ROWS, {**ROWS[0], "request": "one more"}]
        with pytest.raises(ProjectError, match="A label has at most 200"):
            propose("logs", "requests.jsonl", rows, wishes=Wishes(**wishes))
        return
    with pytest.raises(ProjectError, match=said):
        proposed(**wishes)


def test_the_command_line_has_a_length_of_time_and_needs_a_file(capsys):
    asked = parse_options(["new", "logs", "--from", "f.csv", "--delay", "1.5h", "--key", "k", "--no-label"])
    assert asked.wishes == Wishes(key="k", no_label=True, delay_us=5_400_000_000)
    for wrong in (["new", "logs", "--key", "k"], ["new", "logs", "--from", "f.csv", "--delay", "soon"]):
        with pytest.raises(SystemExit):
            parse_options(wrong)
    said = capsys.readouterr().err
    assert "are about a file or a topic: give --from or --topic" in said
    assert "'soon' is not a length of time; give one such as 90s, 15min, 30h or 7d" in said


def test_two_keys_are_refused_with_what_to_write(capsys):
    """The last one counted, and nothing said so."""
    with pytest.raises(SystemExit) as ended:
        parse_options(["new", "logs", "--from", "logs.csv", "--key", "client.ip", "--key", "host.name"])
    assert ended.value.code == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "--key was given 2 times (client.ip, host.name), and the package is about one entity. Write --key" in said
    assert "docs/definitions.md" in said
    assert parse_options(["new", "logs", "--from", "logs.csv", "--key", "client.ip"]).wishes.key == "client.ip"
