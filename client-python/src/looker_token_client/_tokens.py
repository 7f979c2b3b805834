"""A Looker access token that does not show itself, how much of its life is over, and when to look for its successor."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final, NoReturn
from urllib.parse import urlsplit

from ._errors import TokenBrokerError
from ._options import is_number, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._broker import Answer
    from ._waiting import Clock

DEFAULT_MIN_TTL_SECONDS: Final = 60
"""A scope's lease is at least 120 s, and no more than half of it may be asked for: so this is always allowed."""

MAX_MIN_TTL_SECONDS: Final = 1_800
"""A scope's lease is an hour at most, and no more than half of it may be asked for."""

_MAX_LIFE_SECONDS: Final = 86_400
"""No lease lives that long: an answer that says so is wrong, and must not be kept for ever."""

_MARGIN_SECONDS: Final = 15
"""Ahead of the moment at which the token would have too little life left to be handed out."""


class LookerToken:
    """A Looker access token. Only `access_token` gives it away.

    `repr`, `str` and logs do not show it. It is not a dataclass: `asdict` and the differences that pytest prints of a
    dataclass would show each field. It cannot be pickled or copied, and does not change.

    Example:
        >>> with TokenBrokerClient("sales") as client:
        ...     token = client.token()
        >>> token.scope, token.base_url
        ('sales', 'https://example.cloud.looker.com')
        >>> "access_token" in repr(token)
        False

    """

    __slots__ = ("_reveal", "base_url", "expires_at", "lease_id", "scope")

    _reveal: Callable[[], str]
    lease_id: str
    """Names the lease in logs and to the broker; not a secret."""
    scope: str
    """The grant that the token belongs to."""
    base_url: str
    """The Looker instance that the token is for, without `/api/4.0`. Send it nowhere else."""
    expires_at: datetime
    """In UTC, by this machine's clock, for people; the client itself measures the life."""

    def __init__(
        self, access_token: str, lease_id: str, scope: str, base_url: str, expires_at: datetime
    ) -> None:
        values = {"lease_id": lease_id, "scope": scope, "base_url": base_url, "expires_at": expires_at}
        # In a function, which dumps of all attributes do not open.
        values["_reveal"] = lambda: access_token
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def access_token(self) -> str:
        """The secret itself, for `Authorization: Bearer`."""
        return self._reveal()

    def __repr__(self) -> str:
        return (
            f"LookerToken(lease_id={self.lease_id!r}, scope={self.scope!r}, base_url={self.base_url!r}, "
            f"expires_at={self.expires_at!r})"
        )

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuses: all threads of a client share the token."""
        raise AttributeError("A LookerToken does not change.")

    def __delattr__(self, name: str) -> NoReturn:
        """Refuses."""
        raise AttributeError("A LookerToken does not change.")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuses: a pickle is a file or a message to another process, and would hold the token in plain text."""
        raise TypeError("A LookerToken cannot be pickled or copied: take a token where it is used.")


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A token in memory."""

    token: LookerToken
    access_key: str | None
    """Of the AWS credentials that the broker gave it to."""
    life_seconds: float
    """The rest of the lease when it came."""
    refresh_at_seconds: float
    """Of that life. Fleets spread out, since each process draws its own."""
    elapsed_seconds: Callable[[], float] = field(repr=False)

    def left_seconds(self) -> float:
        """The rest of the life. It may have begun as early as the broker was asked."""
        return self.life_seconds - self.elapsed_seconds()


def held_token(answer: Answer, scope: str, clock: Clock) -> HeldToken:
    """The token in a broker's answer; `not_a_broker` if there is none."""
    held = _parse(answer, scope, clock)
    if held is None:
        raise TokenBrokerError("not_a_broker", "The answer is not a token of a token broker.")
    return held


def _parse(answer: Answer, scope: str, clock: Clock) -> HeldToken | None:
    body, elapsed_seconds = answer.body, answer.elapsed_seconds
    access_token, life, lease_id, base_url = (
        body.get(name) for name in ("access_token", "expires_in", "lease_id", "base_url")
    )
    if not (
        isinstance(access_token, str)
        and is_number(life)
        and 0 < life <= _MAX_LIFE_SECONDS
        and isinstance(lease_id, str)
        and isinstance(base_url, str)
        and _is_url(base_url)
    ):
        return None
    expires_at = datetime.fromtimestamp(clock.now(), timezone.utc) + timedelta(
        seconds=life - elapsed_seconds()
    )
    token = LookerToken(access_token, lease_id, scope, base_url.rstrip("/"), expires_at)
    return HeldToken(token, answer.access_key, life, _refresh_point(life, clock), elapsed_seconds)


def _is_url(text: str) -> bool:
    try:
        url = urlsplit(text)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.hostname)


def _refresh_point(life: float, clock: Clock) -> float:
    """At 65 to 80 % of the life; with short leases earlier, but in the second half: before, the broker gives the same."""
    latest = max(life / 2, life - DEFAULT_MIN_TTL_SECONDS - _MARGIN_SECONDS)
    return min(life * (0.65 + 0.15 * clock.random()), latest)


def check_min_ttl(seconds: int) -> None:
    """`bad_request` for a number that no scope can allow."""
    if not (is_number(seconds) and 1 <= seconds <= MAX_MIN_TTL_SECONDS and seconds == int(seconds)):
        raise TokenBrokerError(
            "bad_request",
            f"min_ttl_seconds must be a whole number from 1 to {MAX_MIN_TTL_SECONDS}, half of the longest lease, "
            f"and not {shown(seconds)}.",
            hint="Ask for at most half of the scope's lease, which `permissions()` tells.",
        )
