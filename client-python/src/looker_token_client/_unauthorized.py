"""Whether Looker refuses the token. A value with a field `status` alone, such as a row of data, is no answer."""

from __future__ import annotations

import contextlib
from typing import Final

_UNAUTHORIZED: Final = 401


def is_unauthorized_answer(answer: object) -> bool:
    """An HTTP answer with status 401: `status_code` (requests, httpx) or `status` (urllib3, aiohttp) beside `headers`."""
    return getattr(answer, "headers", None) is not None and _says_401(answer)


def is_unauthorized_error(error: Exception) -> bool:
    """An exception with such a number, or with a `response` that has it."""
    return _says_401(error) or _says_401(getattr(error, "response", None))


def close_answer(answer: object) -> None:
    """An answer that nobody will read holds its connection until it is collected."""
    close = getattr(answer, "close", None)
    if callable(close):
        # An answer of a service's own tests has no connection, and one of an asynchronous client closes otherwise.
        with contextlib.suppress(Exception):
            close()


def _says_401(value: object) -> bool:
    return _UNAUTHORIZED in (getattr(value, "status_code", None), getattr(value, "status", None))
