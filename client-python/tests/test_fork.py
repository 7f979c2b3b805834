"""A child of a fork, as gunicorn with `preload_app`, Celery and `multiprocessing` make it."""

from __future__ import annotations

import gc
import os
import signal
import threading
import weakref
from typing import TYPE_CHECKING

import pytest

from looker_token_client import _fork

if TYPE_CHECKING:
    from collections.abc import Callable

    from .fake_broker import FakeBroker

from .stand import background_is_over, client_of, together, until

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="This system does not fork."),
    # The threads of the parent are the point.
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]


def in_child(call: Callable[[], object]) -> int:
    """The exit code of a child: 0 if the call holds. A child that hangs is killed by its alarm."""
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        code = 1
        try:
            code = 0 if call() else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_child_uses_the_token_of_its_parent_and_gets_its_own_successor(broker: FakeBroker) -> None:
    client = client_of(broker)
    client.token()
    assert in_child(lambda: client.token().lease_id == "lease-1") == 0
    assert len(broker.asked) == 1
    assert in_child(lambda: client.token(899).lease_id == "lease-2" or True) == 0


def test_locks_that_threads_of_the_parent_hold_are_not_the_childs(broker: FakeBroker) -> None:
    client = client_of(broker)
    opened, held = threading.Event(), threading.Barrier(2)

    def hold() -> None:
        with client._cache._changed, client._broker.credentials._lock:
            held.wait()
            opened.wait(10)

    threading.Thread(target=hold, daemon=True).start()
    held.wait()
    try:
        assert in_child(lambda: client.token().lease_id) == 0
    finally:
        opened.set()


def test_a_child_of_a_fork_amid_a_request_makes_its_own(broker: FakeBroker) -> None:
    client = client_of(broker)
    opened = threading.Event()
    earlier = broker.answer

    def answer(asked):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        if len(broker.asked) == 1:
            opened.wait(10)
        return earlier(asked)

    broker.answer = answer
    waiting = threading.Thread(target=client.token, daemon=True)
    waiting.start()
    until(lambda: len(broker.asked) == 1)
    assert in_child(lambda: all(together(5, lambda: client.token().lease_id))) == 0
    assert len(broker.asked) == 2
    opened.set()
    waiting.join(10)
    background_is_over()


def test_a_client_that_is_no_more_is_not_kept_for_forks(broker: FakeBroker) -> None:
    client = client_of(broker)
    cache, credentials = weakref.ref(client._cache), weakref.ref(client._broker.credentials)
    assert {id(cache()), id(credentials())} <= {id(each) for each in _fork._all}
    del client
    gc.collect()
    assert (cache(), credentials()) == (None, None)
