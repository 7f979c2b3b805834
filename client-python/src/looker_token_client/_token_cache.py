"""One request for all threads that wait, renewal ahead of time, and a token that Looker has refused.

A renewal is started by a call, in a daemon thread that ends with it: nobody waits, and an idle process has neither a timer
nor a thread, so that there is nothing to stop and nothing that a fork could lose.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from ._errors import TokenBrokerError
from ._task import Task
from ._tokens import (
    DEFAULT_MIN_TTL_SECONDS,
    MAX_MIN_TTL_SECONDS,
    HeldToken,
    LookerToken,
    check_min_ttl,
    held_token,
)
from ._waiting import Clock, back_off_seconds, stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ._broker import Answer
    from ._credentials import Credentials
    from ._errors import ErrorCode

_ONCE_SECONDS: Final = 5.0
"""A single try, beside a token that still lives."""

_REFUSALS: Final[frozenset[ErrorCode]] = frozenset({"scope_frozen", "not_allowed"})
"""The broker has decided: a token that is still in memory is dead, or about to be.

Not so `access_denied` with the same keys: the caller's IAM policy is about requests, not about tokens that were given.
"""


class Ask(Protocol):
    """Asks the broker for a token, in the thread of a task."""

    def __call__(
        self, task: Task[HeldToken], body: dict[str, object], seconds: float, *, once: bool
    ) -> Answer: ...


@dataclass(slots=True, eq=False)
class _Request:
    """A request for a token that is under way."""

    min_ttl_seconds: int
    until: float
    """By the monotonic clock. A request that hangs is given up then."""
    once: bool
    """A single try."""
    stale: str | None
    """The lease that it reports as stale."""
    ended: set[str] = field(default_factory=set)
    """Leases that a logout named meanwhile."""
    task: Task[HeldToken] = field(init=False)


class TokenCache:
    """The token of one client. All of its methods may be called by many threads."""

    def __init__(
        self, scope: str, timeout_seconds: float, clock: Clock, ask: Ask, credentials: Credentials
    ) -> None:
        self._scope = scope
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._ask = ask
        self._credentials = credentials
        self._held: HeldToken | None = None
        # The lease that Looker has refused. Every request reports it until the broker has given another.
        self._stale: str | None = None
        # Raised by each logout: calls that waited before it must not be given, or cause, a lease after it.
        self._generation = 0
        self._failures = 0
        # While it lasts, a refresh that failed is not tried again.
        self._is_pausing: Callable[[], bool] = lambda: False
        self.renew_after_fork()

    def renew_after_fork(self) -> None:
        """The token stays. The threads of the parent, and what they hold, are not here."""
        self._changed = threading.Condition()
        self._ongoing: _Request | None = None
        # Under way: a token fetched meanwhile may be one that they end.
        self._logouts = 0

    @property
    def generation(self) -> int:
        """For `replacement_for`: calls from before a logout end with it."""
        return self._generation

    @property
    def has_token(self) -> bool:
        """Whether `token()` would answer from memory."""
        with self._changed:
            return self._served(None) is not None

    def token(self, min_ttl_seconds: int | None = None) -> LookerToken:
        """From memory, or from the broker where no token there has that much life left."""
        if min_ttl_seconds is not None:
            check_min_ttl(min_ttl_seconds)
        with self._changed:
            served = self._served(min_ttl_seconds)
            refresh = self._refresh_if_due(served) if served else None
        if refresh:
            refresh.task.start()
        return served.token if served else self._fetch(min_ttl_seconds)

    def replacement_for(
        self, refused: LookerToken, generation: int, min_ttl_seconds: int | None
    ) -> LookerToken:
        """Another token than this one, which Looker has refused. A logout since that generation ends the call."""
        with self._changed:
            if generation != self._generation:
                raise _ended_by_logout()
            is_latest = self._held.token.lease_id == refused.lease_id if self._held else self._stale is None
            if is_latest:
                self._held = None
                self._stale = refused.lease_id
        return self.token(min_ttl_seconds)

    @contextmanager
    def logging_out(self, lease_id: str | None) -> Iterator[None]:
        """Drops the token, if it belongs to `lease_id` when one is given. Serves no other until the logout is done."""
        with self._changed:
            mine = self._held.token.lease_id if self._held else self._stale
            if lease_id is None or lease_id == mine:
                self._forget()
            elif self._ongoing:
                self._ongoing.ended.add(lease_id)
            self._logouts += 1
        try:
            yield
        finally:
            with self._changed:
                self._logouts -= 1
                self._changed.notify_all()

    def _forget(self) -> None:
        self._generation += 1
        self._clear()
        if self._ongoing:
            self._ongoing.task.stop(_ended_by_logout())
            self._ongoing = None

    def _served(self, min_ttl_seconds: int | None) -> HeldToken | None:
        held = self._held
        if not held:
            return None
        if not self._credentials.may_be_of(held.access_key):
            # They have become another caller's, or may have. The broker will tell.
            self._clear()
            return None
        left = held.left_seconds()
        if left >= (min_ttl_seconds or DEFAULT_MIN_TTL_SECONDS):
            return held
        # The broker was asked for a better one just now, in vain, and nobody insists.
        return held if min_ttl_seconds is None and left > 0 and self._is_pausing() else None

    def _clear(self) -> None:
        """Also the report of a refused lease, and the pause after a failure: they go with the token."""
        self._held = None
        self._stale = None
        self._is_pausing = lambda: False

    def _fetch(self, min_ttl_seconds: int | None) -> LookerToken:
        wanted = min_ttl_seconds or DEFAULT_MIN_TTL_SECONDS
        until = self._clock.monotonic() + self._timeout_seconds
        generation = self._generation
        is_second = False
        pause = 0.0
        while True:
            with self._changed:
                if not self._changed.wait_for(lambda: self._logouts == 0, self._left(until)):
                    raise self._out_of_time()
                if generation != self._generation:
                    raise _ended_by_logout()
                served = self._served(min_ttl_seconds)
                if served:
                    return served.token
                if self._left(until) == 0:
                    raise self._out_of_time()
                joined = self._joinable()
                request = joined or self._begin(wanted, min_ttl_seconds, until, pause)
                pause = 0.0
            # Not under the lock: where no thread can be had the work is done here.
            if not joined:
                request.task.start()
            try:
                # A request that was begun by another call may go on for longer than this call may wait.
                got = request.task.wait(self._left(min(until, request.until)))
            except TokenBrokerError as error:
                with self._changed:
                    self._drop_if_over(request, error)
                    if generation != self._generation:
                        raise _ended_by_logout() from None
                    if _concerns_only_others(request, wanted, error):
                        continue
                    wait = self._pause_after(joined, error, until)
                    if wait is None:
                        raise
                    pause = wait
                continue
            with self._changed:
                # Not so where a logout, a report, a later answer or other AWS credentials came between.
                if got is not self._held or not self._credentials.may_be_of(got.access_key):
                    continue
            if got.left_seconds() >= wanted:
                return got.token
            if request.min_ttl_seconds < wanted:
                continue
            if is_second:
                raise _too_little_life(got, wanted)
            is_second = True
            # Until the broker can only answer with another lease: the rest of this one, by `expires_in`, which is cut to
            # whole seconds, is then less than what is asked for. At most a second.
            pause = max(0.0, got.left_seconds() + 1 - wanted)

    def _left(self, until: float) -> float:
        return max(0.0, until - self._clock.monotonic())

    def _joinable(self) -> _Request | None:
        ongoing = self._current()
        return ongoing if ongoing and ongoing.stale == self._stale else None

    def _current(self) -> _Request | None:
        """The request under way. One that hangs (a name's look-up, a provider of credentials) is given up in time."""
        ongoing = self._ongoing
        if ongoing and self._left(ongoing.until) == 0:
            self._drop_if_over(ongoing, ongoing.task.late())
        return self._ongoing

    def _drop_if_over(self, request: _Request, error: TokenBrokerError) -> None:
        if self._ongoing is request and self._left(request.until) == 0:
            request.task.stop(error)
            self._ongoing = None
            self._note_failure(error)

    def _begin(self, wanted: int, min_ttl_seconds: int | None, until: float, pause: float) -> _Request:
        """In the last minute of a token that will do for want of a better one, one try; else the whole budget."""
        held = self._held
        will_do = min_ttl_seconds is None and held is not None and held.left_seconds() > 0
        return self._new_request(wanted, until, pause, once=will_do)

    def _pause_after(self, joined: _Request | None, error: TokenBrokerError, until: float) -> float | None:
        """How long to wait before going on alone, when the time of the call whose request this one joined is over."""
        if joined and not joined.once and error.retryable:
            wait = back_off_seconds(error, self._failures, self._clock)
            # With less than a second more, a thousand calls that came together would go on one after the other.
            if until - joined.until >= 1 and wait < self._left(until):
                return wait
        return None

    def _refresh_if_due(self, held: HeldToken) -> _Request | None:
        """Nobody waits for it: the caller has its token."""
        if self._current() or self._logouts or held.elapsed_seconds() < held.refresh_at_seconds:
            return None
        if self._is_pausing():
            return None
        # With less life asked for, the broker might give the same lease again until its own time to renew.
        half = int(held.life_seconds / 2)
        wanted = min(MAX_MIN_TTL_SECONDS, max(DEFAULT_MIN_TTL_SECONDS, half))
        return self._new_request(wanted, self._clock.monotonic() + self._timeout_seconds, 0.0, once=True)

    def _new_request(self, wanted: int, until: float, pause: float, *, once: bool) -> _Request:
        if once:
            until = min(until, self._clock.monotonic() + min(_ONCE_SECONDS, self._timeout_seconds))
        request = _Request(wanted, until, once, self._stale)
        request.task = Task(lambda task: self._work(task, request, pause), late=self._out_of_time)
        self._ongoing = request
        return request

    def _work(self, task: Task[HeldToken], request: _Request, pause: float) -> HeldToken:
        """In the thread of the request's task."""
        body: dict[str, object] = {"min_ttl_seconds": request.min_ttl_seconds}
        if request.stale is not None:
            body["stale_lease_id"] = request.stale
        try:
            if pause > 0:
                self._clock.sleep(pause, task.stopped)
            answer = self._ask(task, body, self._left(request.until), once=request.once)
            got = held_token(answer, self._scope, self._clock)
            if got.token.lease_id == request.stale:
                raise TokenBrokerError(  # noqa: TRY301
                    "not_a_broker", "The answer is the lease that was reported as stale."
                )
        except TokenBrokerError as error:
            with self._changed:
                if self._ongoing is request:
                    self._ongoing = None
                    self._note_failure(error)
            raise
        except BaseException:
            with self._changed:
                if self._ongoing is request:
                    self._ongoing = None
            raise
        with self._changed:
            is_current = self._ongoing is request
            if is_current:
                self._ongoing = None
            if got.token.lease_id in request.ended:
                raise _ended_by_logout()
            if is_current:
                self._hold(got)
        return got

    def _hold(self, got: HeldToken) -> None:
        self._failures = 0
        self._is_pausing = lambda: False
        # Reported while this was under way.
        if got.token.lease_id == self._stale:
            return
        self._stale = None
        self._held = got

    def _note_failure(self, error: TokenBrokerError) -> None:
        if error.code == "aborted":
            return
        if error.code in _REFUSALS or self._is_of_another(error):
            self._held = None
        # At least a second: a token that is called for often must not become a storm.
        seconds = 1.0 + back_off_seconds(error, self._failures, self._clock)
        self._failures += 1
        elapsed = stopwatch(self._clock)
        self._is_pausing = lambda: elapsed() < seconds

    def _is_of_another(self, error: TokenBrokerError) -> bool:
        """IAM refuses keys other than the token's: the token may be another caller's."""
        held = self._held
        return (
            error.code == "access_denied"
            and held is not None
            and not self._credentials.is_latest(held.access_key)
        )

    def _out_of_time(self) -> TokenBrokerError:
        return TokenBrokerError(
            "timed_out", f"No token came within the budget of {self._timeout_seconds:g} s.", retryable=True
        )


def _ended_by_logout() -> TokenBrokerError:
    return TokenBrokerError("aborted", "logout() ended what this call waited for.")


def _too_little_life(got: HeldToken, wanted: int) -> TokenBrokerError:
    return TokenBrokerError(
        "too_little_life",
        f"The broker gave a token with {max(0, int(got.left_seconds()))} s of life left "
        f"where {wanted} s were asked for, twice.",
    )


def _concerns_only_others(request: _Request, wanted: int, error: TokenBrokerError) -> bool:
    """The failure says nothing to this call.

    It ended a single try beside a live token, or a life that only the other call asked for.
    """
    if request.once and error.code not in _REFUSALS and error.code != "aborted":
        return True
    return error.code == "bad_request" and request.min_ttl_seconds != wanted
