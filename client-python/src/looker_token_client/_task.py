"""One piece of work for many waiting threads, in a daemon thread of its own.

Python can interrupt neither a thread nor the look-up of a name nor a provider of AWS credentials. So the work goes on by
itself, and a caller waits for it no longer than the caller's own time allows.
"""

from __future__ import annotations

import threading
from copy import copy
from typing import TYPE_CHECKING, Generic, TypeVar

from ._errors import TokenBrokerError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Task(Generic[T]):
    """Work that begins with `start()`, and ends with a result, an error, or `stop()`."""

    __slots__ = ("_error", "_lock", "_over", "_result", "_work", "late", "stopped")

    late: Callable[[], TokenBrokerError]
    """The error of a caller that gives up now. The work sets it as it goes on."""

    def __init__(self, work: Callable[[Task[T]], T], late: Callable[[], TokenBrokerError]) -> None:
        self._work = work
        self.late = late
        self.stopped = threading.Event()
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._result: T
        self._error: BaseException | None = None

    def start(self) -> None:
        """Begins the work. At the end of the process, and where no thread can be had, in the caller's own thread."""
        try:
            threading.Thread(target=self._run, name="looker-token-client", daemon=True).start()
        except RuntimeError:
            self._run()

    def stop(self, error: TokenBrokerError) -> None:
        """Ends the waiting of all callers with the error. The result of the work will be dropped."""
        self._end(error)
        self.stopped.set()

    def wait(self, seconds: float) -> T:
        """The result or the error of the work; `late()` if it takes longer than that."""
        if not self._over.wait(max(0.0, seconds)):
            raise self.late()
        if self._error is None:
            return self._result
        # A copy has neither traceback nor context. A traceback belongs to one thread. And the frames of the work hold keys
        # and tokens, while some reporters of errors show the variables of each frame.
        raise copy(self._error) if isinstance(self._error, TokenBrokerError) else self._error

    def _run(self) -> None:
        try:
            result = self._work(self)
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is waited for.
            self._end(error)
        else:
            with self._lock:
                if not self._over.is_set():
                    self._result = result
                    self._over.set()

    def _end(self, error: BaseException) -> None:
        with self._lock:
            if not self._over.is_set():
                self._error = error
                self._over.set()
