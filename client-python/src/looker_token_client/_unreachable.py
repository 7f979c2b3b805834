"""No answer came: the reason, in the words of the operating system."""

from __future__ import annotations

import errno
import re
import socket
import ssl
from typing import TYPE_CHECKING, Final

from ._errors import TokenBrokerError

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOT_FOUND: Final = "ENOTFOUND"
_UNTRUSTED: Final = "CERTIFICATE_VERIFY_FAILED"

LASTING: Final = frozenset({_NOT_FOUND, _UNTRUSTED})
"""A name that does not exist and a certificate that does not fit stay so; all else may be over in a second."""


def unreachable_error(error: Exception, host: str) -> TokenBrokerError:
    """The error for a connection that failed, or ended without an answer."""
    refusal = _refusal_of_proxy(error)
    if refusal:
        return TokenBrokerError(
            "unreachable",
            f"The proxy does not connect to {host} ({refusal}).",
            hint="Check HTTPS_PROXY, or name the host in NO_PROXY.",
            # A proxy that asks for a password, or forbids the host, goes on doing so.
            retryable=not refusal.startswith("4"),
        )
    reason = reason_of(error)
    if reason == _UNTRUSTED:
        return TokenBrokerError(
            "unreachable",
            f"{host} cannot be reached ({reason}).",
            hint="Its certificate is not trusted here. If a private authority issued it, set AWS_CA_BUNDLE to its file.",
            retryable=False,
        )
    return TokenBrokerError(
        "unreachable",
        f"{host} cannot be reached{f' ({reason})' if reason else ''}.",
        retryable=reason not in LASTING,
    )


def reason_of(error: BaseException) -> str | None:
    """A short code. Messages are not passed on, because they may quote the request."""
    for each in _chain(error):
        if isinstance(each, socket.gaierror):
            return "EAI_AGAIN" if each.errno == socket.EAI_AGAIN else _NOT_FOUND
        if isinstance(each, ssl.SSLError):
            return each.reason if re.fullmatch("[A-Z0-9_]{3,50}", each.reason or "") else None
        # `http.client.RemoteDisconnected`, which has no number.
        if isinstance(each, ConnectionResetError):
            return "ECONNRESET"
        if isinstance(each, TimeoutError):
            return "ETIMEDOUT"
        if isinstance(each, OSError) and each.errno:
            return errno.errorcode.get(each.errno)
    return None


def _refusal_of_proxy(error: BaseException) -> str | None:
    """`http.client` says it in a message alone: the status and its phrase."""
    for each in _chain(error):
        found = re.match(r"Tunnel connection failed: (\d{3}[\w -]{0,60})", str(each))
        if isinstance(each, OSError) and found:
            return found[1].strip()
    return None


def _chain(error: BaseException, depth: int = 0) -> Iterator[BaseException]:
    """The error, and those inside: botocore keeps them in `kwargs`, urllib3 in its arguments and in attributes."""
    yield error
    if depth == 6:
        return
    inside = [
        getattr(error, "kwargs", {}).get("error"),
        getattr(error, "reason", None),
        getattr(error, "original_error", None),
        *error.args,
        error.__cause__,
        error.__context__,
    ]
    for each in inside:
        if isinstance(each, BaseException):
            yield from _chain(each, depth + 1)
