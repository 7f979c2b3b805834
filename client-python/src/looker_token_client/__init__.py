"""Looker API tokens from the Looker token broker, for services with an AWS identity.

`TokenBrokerClient` gives the token by itself. `looker_token_client.looker` is for services that use Looker's SDK.
"""

from ._client import (
    Caller,
    LogoutResult,
    Permissions,
    ScopeGrant,
    TokenBrokerClient,
    TokenSource,
)
from ._credentials import AwsCredentials, CredentialsSource, FrozenCredentials
from ._errors import (
    HINTS,
    BrokerErrorCode,
    ErrorCode,
    GatewayErrorCode,
    LocalErrorCode,
    TokenBrokerError,
)
from ._tokens import LookerToken

__all__ = [
    "HINTS",
    "AwsCredentials",
    "BrokerErrorCode",
    "Caller",
    "CredentialsSource",
    "ErrorCode",
    "FrozenCredentials",
    "GatewayErrorCode",
    "LocalErrorCode",
    "LogoutResult",
    "LookerToken",
    "Permissions",
    "ScopeGrant",
    "TokenBrokerClient",
    "TokenBrokerError",
    "TokenSource",
]
