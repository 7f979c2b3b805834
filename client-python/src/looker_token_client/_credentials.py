"""AWS credentials: from botocore's chain or from the caller, and the reasons why there are none."""

from __future__ import annotations

import os
import re
import threading
import time
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import botocore.session
from botocore import exceptions

from ._connection import is_header_value
from ._errors import TokenBrokerError
from ._unreachable import LASTING, reason_of

if TYPE_CHECKING:
    from collections.abc import Callable

_HANGS_AFTER_SECONDS: Final = 10.0
"""STS, SSO and the metadata services answer within two or three."""

_MOST_HANGING: Final = 16
"""No thread can be ended, and a `credential_process` that waits is a process beside it: no more of them are begun."""


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
    """The keys for each request, and a fresh chain of providers after one that hangs."""

    def __init__(self, source: CredentialsSource | None) -> None:
        self._make = _maker(source)
        self._has_given = False
        self.renew_after_fork()

    def renew_after_fork(self) -> None:
        """botocore's credentials have locks too."""
        self._lock = threading.Lock()
        self._made: AwsCredentials | None = None
        # When each request began that has not ended.
        self._waiting: list[float] = []

    def keys(self, *, anew: bool = False) -> FrozenCredentials:
        """Good keys. This takes as long as the provider takes: the caller waits in another thread.

        Args:
            anew: Ask the providers again, because AWS has refused the keys that they gave.

        """
        began = time.monotonic()
        with self._lock:
            hanging = [each for each in self._waiting if began - each > _HANGS_AFTER_SECONDS]
            if len(hanging) >= _MOST_HANGING:
                raise credentials_unavailable(f"{len(hanging)} requests for them have not been answered")
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
            raise credentials_unavailable() if self._has_given or _is_named() else _not_found()
        _check(keys)
        with self._lock:
            self._made, self._has_given = made, True
        return keys


def is_same(some: FrozenCredentials, others: FrozenCredentials) -> bool:
    """Whether these are the same keys."""
    return (some.access_key, some.secret_key, some.token) == (
        others.access_key,
        others.secret_key,
        others.token,
    )


def credentials_unavailable(why: str | None = None) -> TokenBrokerError:
    """There are credentials, but not now."""
    return TokenBrokerError(
        "credentials_unavailable",
        f"The AWS credentials could not be fetched{f' ({why})' if why else ''}.",
        retryable=why not in LASTING,
    )


def credentials_error(error: Exception) -> TokenBrokerError:
    """Why a provider failed. Its own message is not passed on: it may quote the output of a command."""
    if isinstance(error, TokenBrokerError):
        return error
    message = str(error)
    # Before all others: an identity or a role may have "sso" in its name.
    if re.search("AccessDenied|not authorized", message, re.IGNORECASE) and "sts:AssumeRole" in message:
        return _not_assumable(message)
    if _is_transient(error):
        return credentials_unavailable(reason_of(error) or type(error).__name__)
    profile = os.environ.get("AWS_PROFILE")
    if isinstance(error, (exceptions.SSOError, exceptions.TokenRetrievalError)):
        return TokenBrokerError(
            "no_credentials",
            f"The SSO session{f' of the AWS profile {profile}' if profile else ''} has expired or was never begun.",
            hint=f"Run `aws sso login{f' --profile {profile}' if profile else ''}`.",
        )
    return _not_found(type(error).__name__)


def _not_found(kind: str | None = None) -> TokenBrokerError:
    profile = os.environ.get("AWS_PROFILE")
    what = f"The AWS profile {profile} gives no credentials" if profile else "No AWS credentials were found"
    return TokenBrokerError("no_credentials", f"{what}{f' ({kind})' if kind else ''}.")


def _not_assumable(message: str) -> TokenBrokerError:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html."""
    found = re.search(r"\barn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+", message)
    return TokenBrokerError(
        "no_credentials",
        f"AWS does not let this identity assume the role{f' {found[0]}' if found else ''}.",
        hint=(
            "The role's trust policy must name the identity, and the identity's own policies must allow "
            "sts:AssumeRole on the role."
        ),
    )


def _is_transient(error: Exception) -> bool:
    """No connection, throttling and failures of the service, as botocore knows them."""
    if isinstance(error, exceptions.ClientError):
        response = error.response
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = response.get("Error", {}).get("Code", "")
        busy = "Throttl|TooManyRequests|SlowDown|RequestLimitExceeded|RequestTimeout|IDPCommunicationError"
        return status == 429 or status >= 500 or bool(re.search(busy, code))
    if isinstance(error, exceptions.CredentialRetrievalError):
        # A container's or a pod's source. A `credential_process` that fails is the other, and needs a person.
        return bool(error.kwargs.get("provider") == "container-role")
    return isinstance(
        error,
        (
            exceptions.ConnectionError,
            exceptions.HTTPClientError,
            exceptions.MetadataRetrievalError,
            ConnectionError,
            TimeoutError,
        ),
    )


def _check(keys: FrozenCredentials) -> None:
    """A line break behind a key, from a file or a shell: it cannot be a header, or spoils the signature."""
    parts = (
        ("access key", keys.access_key, ("AWS_ACCESS_KEY_ID",)),
        ("secret key", keys.secret_key, ("AWS_SECRET_ACCESS_KEY",)),
        ("session token", keys.token, ("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")),
    )
    for name, value, variables in parts:
        if value and not is_header_value(value):
            source = next((each for each in variables if os.environ.get(each) == value), None)
            raise TokenBrokerError(
                "bad_credentials",
                f"The {name} of the AWS credentials{f', {source},' if source else ''} has a blank, a line break or "
                "another character that no key of AWS has.",
                hint=f"Set {source or 'it'} again, without what stands before or behind the key.",
            )


def _maker(source: CredentialsSource | None) -> Callable[[], AwsCredentials | None]:
    if source is None:
        # A session for each chain: one remembers its credentials, and locks them while they are renewed.
        return lambda: botocore.session.Session().get_credentials()
    if callable(source):
        return source
    return lambda: source


def _is_named() -> bool:
    """ECS and EKS name the source that a container has.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
    """
    names = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
    return any(os.environ.get(name) for name in names)
