"""Time and chance, and the long waiting that the broker refuses to do: a waiting Lambda is a held instance."""

from __future__ import annotations

import logging
import random
import time
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from ._errors import TokenBrokerError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

T = TypeVar("T")

_log = logging.getLogger("looker_token_client")

ATTEMPT_SECONDS: Final = 15.0
"""API Gateway itself gives up after 29 s. An attempt that hangs must leave time for another one."""


class Clock(Protocol):
    """Tests give their own."""

    def now(self) -> float:
        """Seconds since 1970. This clock may be wrong, and may jump."""

    def monotonic(self) -> float:
        """Seconds since some moment. This clock does not jump, but may stand still while the machine sleeps."""

    def sleep(self, seconds: float, stopped: threading.Event) -> None:
        """Returns early when `stopped` is set."""

    def random(self) -> float:
        """From 0 up to, not including, 1."""


class SystemClock:
    """The machine's."""

    def now(self) -> float:
        """See `Clock`."""
        return time.time()

    def monotonic(self) -> float:
        """See `Clock`."""
        return time.monotonic()

    def sleep(self, seconds: float, stopped: threading.Event) -> None:
        """See `Clock`."""
        stopped.wait(seconds)

    def random(self) -> float:
        """See `Clock`. Chance spreads a fleet out, and keeps no secret."""
        return random.random()  # noqa: S311


def stopwatch(clock: Clock) -> Callable[[], float]:
    """Seconds from now on, by the clock that says more: one may sleep, the other may be set back."""
    now, monotonic = clock.now(), clock.monotonic()
    return lambda: max(clock.now() - now, clock.monotonic() - monotonic)


def back_off_seconds(error: TokenBrokerError, failures: int, clock: Clock) -> float:
    """How long to wait after an error, when `failures` came before it.

    As the answer asks and up to a second more, so that callers with the same answer do not come back together; else
    "full jitter": https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    asked = error.retry_after_seconds or 0.0
    if asked > 0:
        return asked + clock.random()
    return clock.random() * min(8.0, 0.25 * 2.0 ** min(failures, 10))


def with_retries(
    attempt: Callable[[float], T], budget_seconds: float, stopped: threading.Event, clock: Clock
) -> T:
    """Repeats the attempt while its error is worth waiting for and the wait fits into the budget; else raises the error.

    So an error never comes later than the budget, and comes at once where a wait of that length would be of no use.
    An attempt gets the seconds that it may take.
    """
    began = clock.monotonic()
    failures = 0
    while True:
        left = budget_seconds - (clock.monotonic() - began)
        try:
            return attempt(min(ATTEMPT_SECONDS, left))
        except TokenBrokerError as error:
            wait = back_off_seconds(error, failures, clock)
            if not error.retryable or clock.monotonic() - began + wait >= budget_seconds:
                raise
            failures += 1
            _log.info("%s: %s Attempt %d follows in %.1f s.", error.code, error.message, failures + 1, wait)
        clock.sleep(wait, stopped)
        if stopped.is_set():
            raise TokenBrokerError("aborted", "The call was stopped.")
