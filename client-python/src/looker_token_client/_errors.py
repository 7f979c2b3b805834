"""Every failure that this package reports.

`code` is for programs, the message and `hint` are for people. None of them ever holds a token, a key or a signature, and
no exception is chained in which one could hide.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

BrokerErrorCode: TypeAlias = Literal[
    "bad_request",
    "payload_too_large",
    "not_allowed",
    "scope_frozen",
    "too_many_mints",
    "looker_rejected_credentials",
    "looker_unavailable",
    "busy",
    "internal",
]
"""The broker's own codes."""

GatewayErrorCode: TypeAlias = Literal[
    "access_denied",
    "no_such_route",
    "bad_signature",
    "clock_skew",
    "wrong_region",
    "bad_credentials",
    "expired_credentials",
    "throttled",
    "unavailable",
]
"""Answers of API Gateway, before or in the place of the broker."""

LocalErrorCode: TypeAlias = Literal[
    "no_credentials",
    "credentials_unavailable",
    "no_endpoint",
    "no_region",
    "unreachable",
    "not_a_broker",
    "too_little_life",
    "timed_out",
    "aborted",
    "sudo_unsupported",
]
"""No request was made, or no broker answered it."""

ErrorCode: TypeAlias = BrokerErrorCode | GatewayErrorCode | LocalErrorCode

# The same sentences as in the client for Node. Tests hold the tables of both READMEs equal, and this one to its README.
HINTS: Final[dict[ErrorCode, str]] = {
    "bad_request": "Correct the field that the message names.",
    "payload_too_large": "Send a body of at most 4 KB.",
    "not_allowed": (
        "Check the scope's name, and ask its owners to add your role to the scope's list. "
        "`looker-token whoami` shows your identity."
    ),
    "scope_frozen": "Ask the scope's operators. They give no token until one of them unfreezes it.",
    "too_many_mints": (
        "Wait for as long as Retry-After says. If it comes back, look for a process that reports good "
        "leases as stale."
    ),
    "looker_rejected_credentials": "Ask the scope's operators to look at its secret in Secrets Manager.",
    "looker_unavailable": "Try again later. Looker cannot be reached, or asked for fewer logins.",
    "busy": "Try again, because a login was still under way.",
    "internal": "Give the request id to the broker's operators, because it finds the record.",
    "access_denied": "Add execute-api:Invoke on this scope's routes to your role's IAM policy.",
    "no_such_route": "Check the endpoint. It must end with the stage, as in https://….amazonaws.com/v1.",
    "bad_signature": "Check the secret access key, and that nothing on the way changes the request.",
    "clock_skew": "Set this machine's clock right, best by NTP.",
    "wrong_region": "Pass the API's region as `region`, or set AWS_REGION to it.",
    "bad_credentials": (
        "Check which AWS credentials are used: `aws sts get-caller-identity` must accept them."
    ),
    "expired_credentials": "Renew the AWS credentials, for instance with `aws sso login`.",
    "throttled": "Call less often. The API takes no more requests at the moment.",
    "unavailable": "Try again later. The broker's function could not answer.",
    "no_credentials": "Give the process an IAM role, or set AWS_PROFILE and run `aws sso login`.",
    "credentials_unavailable": (
        "Try again later. The source of the AWS credentials (STS, SSO, or the container's or "
        "instance's metadata) did not answer."
    ),
    "no_endpoint": "Pass `endpoint`, or set LOOKER_BROKER_ENDPOINT to the URL that the deployment printed.",
    "no_region": "Pass `region`, or set AWS_REGION to the API's region.",
    "unreachable": "Check the endpoint's name, the network, and a private API's VPC endpoint.",
    "not_a_broker": "Check the endpoint. Something else answers there, such as a proxy or another site.",
    "too_little_life": (
        "Ask for less life, or find the reason for slow answers. The broker renews a lease with less "
        "life than the call asks for."
    ),
    "timed_out": "Try again, or allow more time with `timeout_seconds`.",
    "aborted": "Nothing to do, because the call was asked to stop.",
    "sudo_unsupported": (
        "Use a scope of its own, with its own Looker service account, in place of running as another user."
    ),
}

_WORTH_WAITING: Final[frozenset[ErrorCode]] = frozenset(
    {
        "busy",
        "looker_unavailable",
        "too_many_mints",
        "throttled",
        "unavailable",
        "unreachable",
        "credentials_unavailable",
    }
)
"""Waiting may help: the client does it by itself, within its time-out."""


class TokenBrokerError(Exception):
    """The broker refuses or is away, or this machine cannot ask it. It holds no token and no key.

    `str(error)` is the message and the hint: plain logging shows the fix. The error survives pickling, as it has to
    between the processes of Celery or `multiprocessing`.

    Example:
        >>> error = TokenBrokerError("scope_frozen", "An operator has frozen the scope.")
        >>> error.code, error.retryable
        ('scope_frozen', False)
        >>> print(error)
        An operator has frozen the scope. Ask the scope's operators. They give no token until one of them unfreezes it.

    """

    code: ErrorCode
    """For programs. The README lists all codes."""
    message: str
    """The failure, in one or two sentences."""
    hint: str
    """The next step, in one sentence."""
    retryable: bool
    """Whether the same call may succeed later without a change by anybody."""
    status: int | None
    """Of the HTTP answer, if there was one."""
    request_id: str | None
    """By which the broker's operators find the record."""
    retry_after_seconds: float | None
    """How long the answer asks to wait."""

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        hint: str | None = None,
        retryable: bool | None = None,
        status: int | None = None,
        request_id: str | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        # Pickling and copying make the error again from these two, and then set the attributes.
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.hint = HINTS[code] if hint is None else hint
        self.retryable = code in _WORTH_WAITING if retryable is None else retryable
        self.status = status
        self.request_id = request_id
        self.retry_after_seconds = retry_after_seconds

    def __str__(self) -> str:
        return f"{self.message} {self.hint}"
