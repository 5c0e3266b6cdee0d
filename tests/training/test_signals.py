"""Signals that ask a run to stop: once is enough, and what is ignored stays ignored."""

import os
import signal

import pytest

from nettrain.training.signals import stop_signals

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="the system has no SIGHUP")


def test_a_terminal_that_closes_may_tell_twice():
    with stop_signals() as signalled:
        for _ in range(2):  # the system, and the shell
            os.kill(os.getpid(), signal.SIGHUP)
        assert signalled() == signal.SIGHUP
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_a_signal_that_is_ignored_stays_so(number):
    former = signal.signal(number, signal.SIG_IGN)
    try:
        with stop_signals() as signalled:
            os.kill(os.getpid(), number)
            assert signalled() is None
        assert signal.getsignal(number) == signal.SIG_IGN
    finally:
        signal.signal(number, former)


def test_a_second_interrupt_is_the_users_own():
    with pytest.raises(KeyboardInterrupt), stop_signals() as signalled:
        os.kill(os.getpid(), signal.SIGINT)
        assert signalled() == signal.SIGINT
        os.kill(os.getpid(), signal.SIGINT)
