"""`python -m serving predict` against the running service: what a person gets to see, and what a person did wrong."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from deploy.embedded.redis_server import RedisServer
from serving.__main__ import main
from serving.client.waiting_line import WaitingLine
from shared_features.kernel.event_time import to_text
from tests.serving.closed_ports import closed_port
from tests.serving.conftest import INSTANCE, NOW_US, machine_states
from tests.serving.running_service import ROOT, running

TEXT = json.dumps(INSTANCE)
AT = to_text(NOW_US)


@pytest.fixture(scope="module")
def url(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with RedisServer() as server, redis.Redis.from_url(server.url) as client:
        client.mset(machine_states())
        with running(server, published, tmp_path_factory.mktemp("predict") / "log") as (endpoint, _):
            yield str(endpoint.base_url)


@pytest.fixture
def predict(url: str, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run it in this process; exit code, standard output, standard error."""

    def run(*arguments: str, at: str = url) -> tuple[int, str, str]:
        code = main(["predict", *arguments, "--url", at])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_a_prediction_is_a_table_of_its_features(predict):
    code, out, err = predict("breakdown", TEXT, "--as-of", AT)
    assert (code, err) == (0, "")
    assert lines(out)[0] == f"view breakdown:v1, model breakdown 1, as of {AT}"
    assert "score 1" in lines(out)
    assert {"feature value", "celsius 71.2", "humidity -"} <= set(lines(out))


def test_an_explained_prediction_says_window_events_age_and_key_of_each_feature(predict):
    code, out, _ = predict("breakdown", TEXT, "--as-of", str(NOW_US), "--explain")
    assert code == 0
    said = lines(out)
    (mean,) = [line for line in said if line.startswith("machine_heat__celsius_mean_1h") and " 4 " in line][:1]
    assert mean.endswith(f" machine_heat 4 2025-12-31T23:00:00Z {AT} 10 min before"), mean
    above = next(at for at, line in enumerate(said) if line.startswith("above_mean_1h "))
    assert [line.split()[0] for line in said[above + 1 : above + 3]] == ["celsius", "machine_heat__celsius_mean_1h"]
    assert "machine_heat: machine_heat:v3 of plant north, machine press|1" in said
    assert any(line.startswith("read from {test:machine_heat:v3:") for line in said)
    assert any("plant.readings:0 up to offset 10, plant.readings:1 up to offset 11" in line for line in said)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed here")
def test_the_printed_curl_gives_the_same_answer(predict):
    _, whole, _ = predict("breakdown", TEXT, "--as-of", AT, "--json")
    _, out, _ = predict("breakdown", TEXT, "--as-of", AT)
    command = out.splitlines()[-1]
    assert command.startswith("curl ")
    answered = subprocess.run(shlex.split(command), capture_output=True, check=True, timeout=120).stdout
    assert json.loads(answered) == json.loads(whole)


@pytest.mark.parametrize("text", [f"[{TEXT}, {TEXT}]", json.dumps({"instances": [INSTANCE] * 2, "as_of": NOW_US})])
def test_several_instances_and_a_whole_request_are_taken(predict, text):
    _, out, _ = predict("breakdown:v1", text)
    assert [line[:21] for line in lines(out) if "score" in line] == ["prediction 1: score 1", "prediction 2: score 1"]


def test_a_file_is_taken_and_a_number_keeps_its_digits(predict, tmp_path):
    """Read as a float64, 0.05 below the middle of two steps is the middle, and rounds to another step."""
    (tmp_path / "one.json").write_text(TEXT.replace("71.25", "71.25000000000000000001"))
    _, out, _ = predict("breakdown", f"@{tmp_path / 'one.json'}", "--json")
    assert json.loads(out)["predictions"][0]["features"]["celsius"] == pytest.approx(71.3)


def test_what_the_endpoint_refuses_is_said_as_it_says_it(predict):
    code, out, err = predict("breakdown", json.dumps(INSTANCE | {"celsius": "hot"}))
    assert (code, out) == (1, "")
    assert "The request does not match the view's fields (422). Wrong value at $.instances[0].celsius." in err
    code, _, err = predict("brakedown", TEXT)
    assert code == 1
    assert "Unknown feature view 'brakedown'. Send the request to one of breakdown." in err
    code, _, err = predict("breakdown", json.dumps([INSTANCE] * 21), "--explain")
    assert (code, "Send at most 20 in one request" in err) == (1, True)


def test_an_endpoint_that_is_away_is_named_with_what_to_do(predict):
    with closed_port() as port:
        nowhere = f"http://127.0.0.1:{port}"
        code, out, err = predict("breakdown", TEXT, at=nowhere)
    assert (code, out) == (1, "")
    assert f"No endpoint answers at {nowhere}/v1/views/breakdown:predict: " in err
    assert "Connection refused. Start it with `python -m serving`, or give its address by --url." in err


def test_it_can_wait_for_an_endpoint_and_for_a_model(published, tmp_path, capsys, monkeypatch):
    """Who has just started a stack would otherwise try again by hand."""
    registry, made, show = tmp_path / "registry", tmp_path / "made", WaitingLine.show
    registry.mkdir()
    shutil.copytree(published, made)

    def comes(line, says):
        """The model, once the command has said that it waits."""
        show(line, says)
        for each in made.iterdir():
            each.rename(registry / each.name)

    monkeypatch.setattr(WaitingLine, "show", comes)
    with RedisServer() as server, redis.Redis.from_url(server.url) as client:
        client.mset(machine_states())
        with running(server, registry, tmp_path / "log") as (endpoint, _):
            asked = ["predict", "breakdown", TEXT, "--url", str(endpoint.base_url)]
            assert main(asked) == 1
            assert "No model answers for this view yet (503)" in capsys.readouterr().err
            assert main([*asked, "--wait", "60"]) == 0
            assert re.search(r"waiting, \d+ of 60 s: No model answers for this view yet", capsys.readouterr().err)
    began_s = time.monotonic()
    assert main([*asked, "--wait", "1.5"]) == 1, "the endpoint has ended"
    assert 1.5 < time.monotonic() - began_s < 60
    assert "No endpoint answers" in capsys.readouterr().err


def test_another_server_is_told_from_ours(predict, url):
    code, _, err = predict("breakdown", TEXT, at=f"{url}/elsewhere")
    assert code == 1
    assert "Unknown path or method (404)" in err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"plant": north}', 'line 1, column 11: Expecting value.\n  {"plant": north}\n            ^\n'),
        ('{"plant": "north",\n "machine" 1}', "line 2, column 12: Expecting ':' delimiter.\n   \"machine\" 1}\n"),
        ("", "line 1, column 1: Expecting value."),
        ("7", "The JSON is 7. Write an instance as an object"),
        ("@nowhere.json", "The JSON cannot be read from @nowhere.json: "),
    ],
)
def test_json_that_cannot_be_read_is_shown_where(capsys, text, says):
    """No endpoint is asked."""
    assert main(["predict", "breakdown", text, "--url", "http://127.0.0.1:1"]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("given", ["ftp://host", "http://host:eighty", "http://"])
def test_an_address_that_is_none_is_refused(capsys, given):
    assert main(["predict", "breakdown", TEXT, "--url", given]) == 2
    assert f"The address {given!r} cannot be used. Write an HTTP address such as" in capsys.readouterr().err


def test_without_an_address_the_settings_say_where_the_endpoint_is(url, monkeypatch, capsys):
    monkeypatch.setenv("MILLRACE_SERVING_HOST", "0.0.0.0")
    monkeypatch.setenv("MILLRACE_SERVING_PORT", url.rpartition(":")[2])
    assert main(["predict", "breakdown", TEXT]) == 0
    assert "view breakdown:v1" in capsys.readouterr().out
    monkeypatch.setenv("MILLRACE_SERVING_PORT", "0")
    assert main(["predict", "breakdown", TEXT]) == 2
    assert "Give the address of the endpoint by --url." in capsys.readouterr().err


def test_it_is_a_command_of_the_program_that_serves(url):
    command = [sys.executable, "-m", "serving", "predict", "breakdown", "-", "--url", url, "--json"]
    done = subprocess.run(command, cwd=ROOT, input=TEXT, text=True, capture_output=True, check=True, timeout=180)
    assert json.loads(done.stdout)["view"] == "breakdown:v1"
