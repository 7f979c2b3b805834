"""A child of `os.fork` has one thread, and locks that threads of its parent may have held: it gets new ones.

gunicorn with `preload_app`, Celery's prefork pool and `multiprocessing` fork processes that have made a client already.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Renewable(Protocol):
    """Has state that a child of its process must not share."""

    def renew_after_fork(self) -> None:
        """Runs in the child, before anything else does."""


_all: WeakSet[Renewable] = WeakSet()


def renewed_after_fork(thing: Renewable) -> None:
    """From now on, for as long as the thing lives."""
    _all.add(thing)


def _renew() -> None:
    for thing in list(_all):
        thing.renew_after_fork()


# Windows does not fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
