"""The meaning of an answer that is not a success.

The broker's own answers are problem+json with a `code`. The others are API Gateway's, which names their kind in
`x-amzn-ErrorType`, or come from something that is not a broker at all.
https://repost.aws/knowledge-center/api-gateway-troubleshoot-403-forbidden (403: messages and x-amzn-ErrorType)
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html (the messages about signatures)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from math import ceil
from typing import TYPE_CHECKING, Final, get_args

from ._errors import BrokerErrorCode, ErrorCode, TokenBrokerError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._connection import Endpoint


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer from the broker's address. A token may be in its body, so that does not show in a traceback."""

    status: int
    headers: Mapping[str, str]
    """With names in lower case."""
    json: object = field(repr=False)
    """None: the body is not JSON."""
    now: float
    """This machine's clock when the answer came, seconds since 1970."""


_Meaning = tuple[ErrorCode, str] | tuple[ErrorCode, str, bool]
"""The third is whether it is retryable, if not as usual."""

_BROKER_CODES: Final[frozenset[str]] = frozenset(get_args(BrokerErrorCode))

_ALLOWED_SKEW_SECONDS: Final = 5 * 60
"""AWS allows five minutes."""


def refusal_of(answer: HttpAnswer, endpoint: Endpoint) -> TokenBrokerError:
    """The error that an answer stands for."""
    body = answer.json if isinstance(answer.json, dict) else {}
    meaning = _by_broker(body) or _by_gateway(answer, body, endpoint) or _by_another(answer, endpoint)
    return TokenBrokerError(
        meaning[0],
        meaning[1],
        retryable=meaning[2] if len(meaning) == 3 else None,
        status=answer.status,
        request_id=_id_of(body.get("request_id", answer.headers.get("x-amzn-requestid"))),
        retry_after_seconds=_retry_after(answer),
    )


def _by_broker(body: Mapping[str, object]) -> _Meaning | None:
    code = body.get("code")
    if code == "not_allowed":
        return code, "The broker has no such scope, or the scope does not list this caller for it."
    # Title, detail and hint would say it three times.
    if code == "scope_frozen":
        return code, "An operator has frozen the scope."
    if not isinstance(code, str) or code not in _BROKER_CODES:
        return None
    said = [_sentence(part) for part in (body.get("title"), body.get("detail")) if isinstance(part, str)]
    return code, " ".join(filter(None, said)) or f"The broker answered {code}."  # type: ignore[return-value]


def _by_gateway(answer: HttpAnswer, body: Mapping[str, object], endpoint: Endpoint) -> _Meaning | None:
    kind = answer.headers.get("x-amzn-errortype", "").partition(":")[0]
    message = body.get("message", body.get("Message"))
    # Without its mark only an answer of its form: another site's JSON must not be taken for the broker's answer.
    if not kind and not (isinstance(message, str) and "x-amzn-requestid" in answer.headers):
        return None
    status = answer.status
    if answer.json is None and status < 500:
        return None
    text = message if isinstance(message, str) else ""
    if status == 403:
        return _forbidden(kind, text, answer, endpoint)
    if status == 429:
        return "throttled", "API Gateway takes no more requests at the moment."
    if status == 413:
        return "payload_too_large", "The request is too large for API Gateway."
    if status >= 500:
        return "unavailable", _reasoned("The broker's function could not answer", text or str(status))
    if status == 404:
        return None
    return "bad_request", _reasoned("API Gateway refused the request", text or str(status))


def _forbidden(kind: str, text: str, answer: HttpAnswer, endpoint: Endpoint) -> _Meaning:
    if re.match(r"Signature (expired|not yet current)", text):
        return _skewed(answer)
    if re.search("Credential should be scoped to a valid region", text, re.IGNORECASE):
        return "wrong_region", f"The API at {endpoint.host} is not in the region {endpoint.region}."
    if kind == "ExpiredTokenException" or re.search(
        "security token included in the request is expired", text, re.IGNORECASE
    ):
        return "expired_credentials", "The AWS credentials have expired."
    if kind == "UnrecognizedClientException" or re.search(
        "security token included in the request is invalid", text, re.IGNORECASE
    ):
        return "bad_credentials", "AWS does not know these credentials."
    if kind == "AccessDeniedException" or re.search(r"not authorized to (perform|access)", text):
        return "access_denied", _reasoned("IAM does not allow the call", text)
    # The text is not passed on: to a wrong signature API Gateway repeats all that was signed, the session token too.
    if kind in ("InvalidSignatureException", "IncompleteSignatureException") or re.search(
        "signature", text, re.IGNORECASE
    ):
        return "bad_signature", "AWS does not accept the request's signature."
    return "no_such_route", _reasoned(f"There is no broker at this path of {endpoint.host}", text)


def _skewed(answer: HttpAnswer) -> _Meaning:
    theirs = _timestamp(answer.headers.get("date", ""))
    if theirs is None:
        return "clock_skew", "This machine's clock is more than five minutes wrong."
    ahead = answer.now - theirs
    # The request was long under way, for instance while a laptop slept: signed anew it passes.
    if abs(ahead) < _ALLOWED_SKEW_SECONDS - 1:
        return "unavailable", "The request reached the broker too late after it was signed."
    return (
        "clock_skew",
        f"This machine's clock is {_duration(abs(ahead))} {'ahead' if ahead > 0 else 'behind'}.",
    )


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} minutes"
    hours = round(minutes / 60)
    return f"{hours} hours" if hours < 48 else f"{round(hours / 24)} days"


def _by_another(answer: HttpAnswer, endpoint: Endpoint) -> _Meaning:
    status, host = answer.status, endpoint.host
    if 300 <= status < 400:
        return "not_a_broker", f"{host} answered with a redirect ({status}), which is not followed."
    kind = answer.headers.get("content-type", "").partition(";")[0].strip()
    shown = f", {kind}" if re.fullmatch(r"[\w.+/-]{3,60}", kind) else ""
    message = f"What {host} answered does not come from a token broker ({status}{shown})."
    # A load balancer or a proxy on the way says these for a moment.
    return "not_a_broker", message, status in (502, 503, 504)


def _reasoned(what: str, why: str) -> str:
    return _sentence(": ".join(filter(None, (what, _sentence(why)))))


def _sentence(text: str) -> str:
    """One printable line, of bearable length; nothing of nothing."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    line = " ".join(printable.split())[:400]
    return line if not line or line[-1] in ".!?)" else f"{line}."


def _id_of(value: object) -> str | None:
    return value if isinstance(value, str) and re.fullmatch(r"[\w-]{1,100}", value) else None


def _retry_after(answer: HttpAnswer) -> float | None:
    """Seconds or a date: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after."""
    text = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    at = _timestamp(text)
    return None if at is None else float(max(0, ceil(at - answer.now)))


def _timestamp(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
