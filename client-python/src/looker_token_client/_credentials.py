"""AWS credentials: from botocore's chain or from the caller, and whose token may be served."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import botocore.credentials
import botocore.session
from botocore.credentials import RefreshableCredentials

from ._credentials_errors import check_keys, credentials_error, credentials_unavailable, not_found
from ._errors import TokenBrokerError
from ._options import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import TypeIs

_HANGS_AFTER_SECONDS: Final = 10.0
"""STS, SSO and the metadata services answer within two or three."""

_LOOK_PAUSE_SECONDS: Final = 1.0
"""Between two looks whether the source has become another identity's."""

_FREE_HANGING: Final = 4
"""Requests that may hang before a pause is kept.

No thread can be ended, and a `credential_process` that waits is a process too. A fixed limit would fail a service for good,
because such requests may never end. So the pause before the next one doubles from 1 s: there are 15 of them after an hour.
"""


class FrozenCredentials(Protocol):
    """One set of keys, as `botocore.credentials.ReadOnlyCredentials` is."""

    @property
    def access_key(self) -> str | None: ...
    @property
    def secret_key(self) -> str | None: ...
    @property
    def token(self) -> str | None: ...


class AwsCredentials(Protocol):
    """Credentials of botocore or boto3, which renew themselves."""

    def get_frozen_credentials(self) -> FrozenCredentials:
        """The keys that are good now."""


CredentialsSource: TypeAlias = "AwsCredentials | Callable[[], AwsCredentials | None]"
"""Credentials, or a function that makes them: it is called again after a request for keys that was not answered."""


class Credentials:
    """The keys for each request, and a fresh chain of providers after one that hangs.

    It also knows whether a token in memory is still the caller's. Only the broker knows identities, and asking it before
    each use of a token would be no cache. So the access key decides:

    - Credentials that renew themselves stand for one identity, as botocore's own clients take them. Each hour's renewal
      would otherwise cost a request, and the token while the broker is away.
    - Another key in credentials of botocore without a renewal counts at once.
    - Any other source is asked again in the background.
    """

    def __init__(self, source: CredentialsSource | None) -> None:
        self._source = source
        self._make = _maker(source)
        self._has_given = False
        # Of the keys that came last. They stay after a fork, as a token in memory does.
        self._latest_key: str | None = None
        self._renews_itself = False
        self._is_worth_a_look = False
        self.renew_after_fork()

    def renew_after_fork(self) -> None:
        """botocore's credentials have locks too."""
        self._lock = threading.Lock()
        self._made: AwsCredentials | None = None
        # When each request began that has not ended.
        self._waiting: list[float] = []
        self._is_looking = False
        self._next_look = 0.0

    def may_be_of(self, access_key: str | None) -> bool:
        """Whether a token of this key may still be the caller's. It never waits: a source may hang."""
        if self._renews_itself:
            return True
        if self._is_worth_a_look:
            self._look()
        return self.is_latest(access_key)

    def is_latest(self, access_key: str | None) -> bool:
        """Whether this key came last."""
        # The service's own object also after a fork, when nothing has been asked of it yet.
        made = self._made or self._source
        return access_key == (made.access_key if _is_plain(made) else self._latest_key)

    def _look(self) -> None:
        """Asks the source in the background, at most once a second and once at a time."""
        with self._lock:
            if self._is_looking or time.monotonic() < self._next_look:
                return
            self._is_looking = True
        try:
            threading.Thread(target=self._looking, name="looker-token-client", daemon=True).start()
        except RuntimeError:
            # At the end of the process. In this thread it could hold up the caller.
            self._is_looking = False

    def _looking(self) -> None:
        # A failure says nothing about the caller, and the next request meets it too.
        with contextlib.suppress(TokenBrokerError):
            self.keys(anew=True)
        with self._lock:
            self._is_looking = False
            self._next_look = time.monotonic() + _LOOK_PAUSE_SECONDS

    def keys(self, *, anew: bool = False) -> FrozenCredentials:
        """Good keys. This takes as long as the provider takes: the caller waits in another thread.

        Args:
            anew: Ask the providers again, because AWS has refused the keys that they gave.

        """
        began = time.monotonic()
        with self._lock:
            hanging = sum(began - each > _HANGS_AFTER_SECONDS for each in self._waiting)
            if hanging >= _FREE_HANGING and began - self._waiting[-1] < 2.0 ** (hanging - _FREE_HANGING):
                raise credentials_unavailable(f"{hanging} requests for them have not been answered")
            made = None if anew else self._made
            self._waiting.append(began)
        try:
            return self._ask(made)
        finally:
            with self._lock:
                # After a fork it is another list.
                if began in self._waiting:
                    self._waiting.remove(began)

    def give_up(self) -> TokenBrokerError:
        """For a caller that has waited long enough: the next request begins with a new chain."""
        with self._lock:
            self._made = None
        return credentials_unavailable("no answer")

    def _ask(self, made: AwsCredentials | None) -> FrozenCredentials:
        try:
            made = made or self._make()
            keys = made.get_frozen_credentials() if made else None
        except Exception as error:  # noqa: BLE001 - a provider may raise whatever it likes.
            raise credentials_error(error) from None
        if made is None or keys is None:
            raise credentials_unavailable() if self._has_given or _is_named() else not_found()
        check_keys(keys)
        with self._lock:
            self._made, self._has_given = made, True
            self._latest_key = keys.access_key
            self._renews_itself = isinstance(made, RefreshableCredentials)
            self._is_worth_a_look = not self._renews_itself and self._may_change(made)
            self._next_look = time.monotonic() + _LOOK_PAUSE_SECONDS
        return keys

    def _may_change(self, made: AwsCredentials) -> bool:
        """Not the service's own object, whose key is read at once. And no command is run each second."""
        return not (_is_plain(made) and (made is self._source or made.method == "custom-process"))


def _is_plain(made: object) -> TypeIs[botocore.credentials.Credentials]:
    """Keys in the attributes of an object, where others are renewed by the reading."""
    return type(made) is botocore.credentials.Credentials


def is_same(some: FrozenCredentials, others: FrozenCredentials) -> bool:
    """Whether these are the same keys."""
    return (some.access_key, some.secret_key, some.token) == (
        others.access_key,
        others.secret_key,
        others.token,
    )


def _maker(source: CredentialsSource | None) -> Callable[[], AwsCredentials | None]:
    if source is None:
        # A session for each chain: one remembers its credentials, and locks them while they are renewed.
        return lambda: botocore.session.Session().get_credentials()
    if callable(source):
        return source
    if not hasattr(source, "get_frozen_credentials"):
        raise TokenBrokerError(
            "bad_request",
            f"`credentials` must be credentials of botocore or a function that returns some, and not {shown(source)}.",
        )
    return lambda: source


def _is_named() -> bool:
    """ECS and EKS name the source that a container has.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
    """
    names = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
    return any(os.environ.get(name) for name in names)
