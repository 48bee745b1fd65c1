"""A Ctrl-C is an exception in the main thread, and it is not forgotten."""

import signal

import pytest

from deploy.local.stack.interruption import Interrupted, Interruption


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_interrupts_and_stays_noted(number, code):
    """A library's callback may swallow the exception; the next check raises it again."""
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    interruption = Interruption()
    interruption.check()
    try:
        interruption.install()
        with pytest.raises(Interrupted):
            signal.raise_signal(number)
        with pytest.raises(Interrupted) as asked:
            interruption.check()
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert asked.value.exit_code == code
