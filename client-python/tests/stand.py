"""A client on a fake broker, with a clock of the test's own."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest import mock

from botocore.credentials import Credentials

from looker_token_client import TokenBrokerClient
from looker_token_client._task import Task
from looker_token_client._waiting import SystemClock

from .fake_broker import Asked, FakeBroker, Reply, token_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Literal


@dataclass
class TestClock:
    """A clock that only moves when it is told to, or when somebody sleeps by it."""

    __test__ = False

    # 2026-11-24T12:00:00Z.
    wall: float = 1_795_521_600.0
    steady: float = 1_000.0
    chance: float = 0.5
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def advance(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    def sleep(self, seconds: float, stopped: threading.Event) -> None:
        if not stopped.is_set():
            self.slept.append(seconds)
            self.advance(seconds)

    def random(self) -> float:
        return self.chance


SECRET_KEY = "signing-key-of-the-test"
SESSION_TOKEN = "session-token-of-the-test"


def client_of(
    broker: FakeBroker, clock: TestClock | SystemClock | None = None, **options: Any
) -> TokenBrokerClient:
    """Of this broker; as another process would have one of its own."""

    class Client(TokenBrokerClient):
        def _clock(self) -> TestClock | SystemClock:
            return clock or SystemClock()

    options = {
        "endpoint": f"{broker.url}/v1",
        "region": "eu-west-1",
        "credentials": Credentials("AKIDEXAMPLE", SECRET_KEY, SESSION_TOKEN),
        **options,
    }
    return Client(options.pop("scope", "sales"), options.pop("session", None), **options)


def new_leases(expires_in: int = 900) -> Callable[[Asked], Reply | Literal["drop"]]:
    """A new lease at each request: lease-1, lease-2, …"""
    given = 0
    counting = threading.Lock()

    def answer(asked: Asked) -> Reply:
        nonlocal given
        if asked.path.endswith("/logout"):
            return Reply(200, {"revoked": 1, "pending": 0})
        with counting:
            given += 1
            return token_reply(f"lease-{given}", expires_in)

    return answer


def in_thread(call: Any) -> Any:
    """The result or the error of a call that goes on in the background: to be asked for with `()`."""
    results: list[object] = []

    def run() -> None:
        try:
            results.append(call())
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def result() -> object:
        thread.join(10)
        return results[0]

    return result


def until(holds: Callable[[], bool]) -> None:
    """Until it holds: for what happens in the background."""
    give_up = time.monotonic() + 10
    while not holds():
        if time.monotonic() > give_up:
            raise AssertionError("It has not come about within ten seconds.")
        time.sleep(0.005)


def background_is_over() -> None:
    """No thread of a client is at work."""
    until(lambda: all(each.name != "looker-token-client" for each in threading.enumerate()))


@contextmanager
def answers_when_all_wait(broker: FakeBroker, calls: int) -> Iterator[None]:
    """The broker answers when so many calls wait: none of them comes too late to share the first answer."""
    if calls == 1:
        yield
        return
    entered, earlier, wait = threading.Semaphore(0), broker.answer, Task.wait
    are_all_here = threading.Event()

    def enter_and_wait(task: Task[Any], seconds: float) -> Any:
        entered.release()
        return wait(task, seconds)

    def answer(asked: Asked) -> Reply | Literal["drop"]:
        if not are_all_here.is_set():
            for _ in range(calls):
                assert entered.acquire(timeout=20)
            are_all_here.set()
        return earlier(asked)

    broker.answer = answer
    with mock.patch.object(Task, "wait", enter_and_wait):
        yield
    broker.answer = earlier


def together(calls: int, call: Callable[[], object]) -> list[object]:
    """The results, or the errors, of calls of as many threads at the same time."""
    results: list[object] = [None] * calls
    begin = threading.Barrier(calls)

    def run(index: int) -> None:
        begin.wait()
        try:
            results[index] = call()
        except Exception as error:
            results[index] = error

    threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results
