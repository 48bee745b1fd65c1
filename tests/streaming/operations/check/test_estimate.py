"""`check` before anything runs: definitions, a file, memory and cost. No server is asked."""

import json
import re

import pytest

from streaming.command_line import build_parser
from streaming.errors import EXIT_OK, EXIT_REFUSED, RefusedError
from streaming.operations.check import command
from streaming.settings import load_settings

NOWHERE = {"kafka_bootstrap_servers": "127.0.0.1:1", "redis_url": "redis://127.0.0.1:1", "topic_mode": "embedded"}
FIRST_MS = 1_700_000_000_000


def check(*arguments, definitions="tests.domains.probes"):
    options = build_parser().parse_args(["check", "--definitions-only", *map(str, arguments)])
    return command.run(load_settings(definitions=definitions, **NOWHERE), options)


def test_the_definitions_alone_are_checked_without_any_server(capsys):
    assert check(definitions="tests.domains.machines") == EXIT_OK
    said = capsys.readouterr().out
    assert "2 sources, 2 groups, views breakdown:v1; 2 on-demand functions called with trial values" in said
    assert "no fault in the definitions" in said


def test_the_module_is_named_by_an_option_as_for_up(capsys):
    assert check("--definitions", "tests.domains.machines", definitions="tests.domains.nowhere") == EXIT_OK
    assert "views breakdown:v1" in capsys.readouterr().out


def test_a_file_that_ended_long_ago_has_the_states_of_its_own_time(tmp_path, capsys):
    """In mode live its rows arrived now, each before every window, and the group was left out without a word."""
    file = tmp_path / "samples.jsonl"
    rows = [{"sample": f"s{at}", "at": FIRST_MS + at, "probe": "p", "value": 1} for at in range(50)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = build_parser().parse_args(
        [*["check", "--definitions-only", "--measure", "--source", "samples", "--data"], str(file)]
    )
    settings = load_settings(definitions="tests.domains.probes", **NOWHERE | {"topic_mode": "live"})
    command.run(settings, options)
    said = capsys.readouterr().out
    assert re.search(r"probe +50 +\d", said), said
    assert "no row of the file counts" not in said


def test_a_function_that_cannot_work_is_named_with_its_place_and_what_to_write(capsys):
    assert check(definitions="tests.domains.one_broken_view") == EXIT_REFUSED
    told = capsys.readouterr().err
    assert "on-demand function 'is_hot' raises ValueError" in told
    assert re.search(r"np\.where\(x > 0, a, b\) for an `if`.*\(line \d+ of one_broken_view\.py\)", told)


def test_more_events_of_an_entity_take_more_memory_and_more_entities_take_so_many_times_as_much(capsys):
    assert check("--entities", "1000000", definitions="tests.domains.machines") == EXIT_OK
    said = capsys.readouterr().out
    found = re.findall(r"machine_heat:v3 +machine +(\d+) +(\S+ \S+) +1,000,000 +(\S+ \S+)", said)
    assert [rate for rate, _, _ in found] == ["1", "10", "100"]
    states = [bytes_of(state) for _, state, _ in found]
    assert states == sorted(states)
    assert all(bytes_of(memory) > 1_000_000 * state for (_, _, memory), state in zip(found, states, strict=True))
    assert re.search(r"readings: reading \d+\.\d us \+ hot_plant:v1 \d+\.\d us \+ machine_heat:v3 ", said)


def test_entities_of_a_kind_are_asked_for_by_name(capsys):
    check("--entities", "machine=77", "--entities", "5", "--events-per-day", "2", definitions="tests.domains.machines")
    said = capsys.readouterr().out
    assert re.search(r"machine_heat:v3 +machine +2 +\S+ \S+ +77 ", said)
    assert re.search(r"hot_plant:v1 +plant +2 +\S+ \S+ +5 ", said)


def test_an_entity_that_no_group_is_about_is_refused():
    with pytest.raises(RefusedError, match=r"no group is about machin\. Did you mean 'machine'"):
        check("--entities", "machin=7", definitions="tests.domains.machines")


def test_a_file_tells_its_fit_and_the_states_of_its_own_entities(tmp_path, capsys):
    file = tmp_path / "samples.jsonl"
    rows = [{"sample": f"s{n}", "at": FIRST_MS + n * 60_000, "probe": f"p{n % 5}", "value": n} for n in range(1_003)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert check("--data", file, "--source", "samples", "--measure") == EXIT_REFUSED
    said = capsys.readouterr().out
    assert "of the first 1,003 rows, 1,001 are events" in said
    assert "2 of the first rows would be dead letters" in said
    assert re.search(r"probe +1,001 +\S+ \S+ +5 ", said), said
    assert check("--data", file, "--source", "samples", "--rows", "1000", "--entities", "1_000") == EXIT_OK
    assert re.search(r"probe +1,000 +\S+ \S+ +1,000 ", capsys.readouterr().out)


def test_whether_a_file_fits_is_said_without_the_compiled_kernel(tmp_path, capsys, monkeypatch):
    """On a busy machine the answer took ten minutes, in which the kernel was compiled without a word."""
    monkeypatch.setattr("streaming.operations.check.estimate.estimate_lines", None)
    file = tmp_path / "samples.jsonl"
    file.write_text(json.dumps({"sample": "s", "at": FIRST_MS, "probe": "p", "value": 1}) + "\n")
    assert check("--data", file, "--source", "samples") == EXIT_OK
    said = capsys.readouterr().out
    assert "of the first 1 row, 1 is an event" in said
    assert "--measure says what its entities take in Redis" in said


def test_a_file_without_a_source_is_refused(tmp_path):
    with pytest.raises(RefusedError, match="--data and --source belong together"):
        check("--data", tmp_path / "x.csv")


def bytes_of(text):
    number, unit = text.split()
    return float(number) * 1024 ** ("B", "KiB", "MiB", "GiB").index(unit)
