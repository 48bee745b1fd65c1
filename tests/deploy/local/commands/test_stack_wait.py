"""`predict` says what the local stack still does before there is an answer."""

import pytest

from deploy.local.__main__ import main
from deploy.local.commands.stack_wait import stack_waits_for
from deploy.local.stack.stack_directory import Remembered, StackDirectory
from deploy.local.stack.standing import Part, Standing

PORT = 29_776
URL = f"http://127.0.0.1:{PORT}/v1/views/churn:predict"
TRAINS = "training the first model of churn, step fit: fitting random_forest on 1,286 rows (2 of 3), 40 s"
WAITS = Part("serving", "waiting", "waits for a first model of churn", 0)
UP = [Part("redis", "up", "redis-server", 0, pid=1), Part("stream job", "up", "8 shards live", 0, pid=2)]


@pytest.fixture
def stack(tmp_path, monkeypatch):
    """A stack that runs, in the folder where a person stands."""
    monkeypatch.chdir(tmp_path)
    for name in ("MILLRACE_REGISTRY", "MILLRACE_SERVING_PORT"):
        monkeypatch.delenv(name, raising=False)
    found = StackDirectory(tmp_path / "var" / "stack")
    found.create()
    found.remember(
        Remembered(definitions="shop", kafka="simulator", redis="embedded", namespace="n", log="l", serving_port=PORT)
    )
    return found


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ([Part("kernel", "starting", "compiling, 12 of up to 19 loops, 35 s", 0)], "kernel: compiling, 12 of"),
        ([*UP[:1], Part("stream job", "waiting", "3 of 8 shards live", 0), WAITS], "stream job: 3 of 8 shards live"),
        ([*UP, WAITS, Part("training", "waiting", "churn: waiting for events of orders", 0)], "churn: waiting for"),
        ([*UP, WAITS, Part("training", "up", TRAINS, 0, pid=3)], TRAINS),
        ([*UP, WAITS, Part("training", "up", "every view with labels has a model that answers", 0)], "serving: waits"),
    ],
)
def test_it_is_told_what_stands_between_it_and_an_answer(stack, parts, says):
    stack.show(Standing("ready", 0, tuple(parts)))
    with stack.locked():
        assert str(stack_waits_for(URL)).startswith(says)


def test_a_stack_that_does_not_run_is_told_how_it_starts(stack):
    stack.show(Standing("ended", 0, tuple(UP)))
    assert stack_waits_for(URL) == f"the stack in {stack.path} does not run; `millrace up` starts it"


def test_a_shell_that_has_not_read_the_addresses_is_told_to(stack):
    """`predict` asked port 8000, and said that no endpoint answers there."""
    with stack.locked():
        said = str(stack_waits_for("http://127.0.0.1:8000/v1/views/churn:predict"))
        assert said == (
            f"the stack in {stack.path} answers at http://127.0.0.1:{PORT}; run `source {stack.environment_file}` first"
        )


def test_an_endpoint_elsewhere_is_no_business_of_the_stack(stack, monkeypatch):
    with stack.locked():
        assert stack_waits_for("http://models.example:8000/v1/views/churn:predict") is None
        monkeypatch.setenv("MILLRACE_SERVING_PORT", "8000")
        assert stack_waits_for("http://127.0.0.1:8000/v1/views/churn:predict") is None


def test_the_command_says_it_beside_what_it_found(stack, capsys):
    """The endpoint does not answer; without --wait the answer comes at once."""
    stack.show(Standing("ready", 0, (*UP, WAITS, Part("training", "up", TRAINS, 0, pid=3))))
    with stack.locked():
        assert main(["predict", "churn", "{}", "--url", f"http://127.0.0.1:{PORT}"]) == 1
        said = capsys.readouterr().err
        assert f"Not done yet: {TRAINS}. `--wait 600` waits until it is done." in said
        assert main(["predict", "churn", "{}", "--url", f"http://127.0.0.1:{PORT}", "--wait", "1.2"]) == 1
        assert f"waiting, 0 of 1 s: {TRAINS}\n" in capsys.readouterr().err
