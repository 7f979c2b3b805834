"""The reasons why there are no AWS credentials, or why these cannot be used."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from botocore import exceptions

from ._connection import is_header_value
from ._errors import TokenBrokerError
from ._unreachable import LASTING, reason_of

if TYPE_CHECKING:
    from ._credentials import FrozenCredentials


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
    return not_found(type(error).__name__)


def not_found(kind: str | None = None) -> TokenBrokerError:
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


def check_keys(keys: FrozenCredentials) -> None:
    """A line break behind a key, from a file or a shell: it cannot be a header, or spoils the signature."""
    parts = (
        ("access key", "access_key", ("AWS_ACCESS_KEY_ID",)),
        ("secret key", "secret_key", ("AWS_SECRET_ACCESS_KEY",)),
        ("session token", "token", ("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")),
    )
    for name, attribute, variables in parts:
        value = getattr(keys, attribute, None)
        if attribute == "token" and not value:
            continue
        if not value or not isinstance(value, str):
            raise TokenBrokerError(
                "bad_credentials", f"The AWS credentials have no {name}, or one that is not a text."
            )
        if not is_header_value(value):
            source = next((each for each in variables if os.environ.get(each) == value), None)
            raise TokenBrokerError(
                "bad_credentials",
                f"The {name} of the AWS credentials{f', {source},' if source else ''} has a blank, a line break or "
                "another character that no key of AWS has.",
                hint=f"Set {source or 'it'} again, without what stands before or behind the key.",
            )
