"""Looker tokens of one scope, for one process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from ._broker import Answer, Broker, Request
from ._connection import check_scope, check_session, endpoint_of
from ._credentials import Credentials
from ._errors import TokenBrokerError
from ._fork import renewed_after_fork
from ._options import check_text, check_timeout
from ._token_cache import TokenCache
from ._unauthorized import close_answer, is_unauthorized_answer, is_unauthorized_error
from ._waiting import Clock, SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from typing_extensions import Self

    from ._credentials import CredentialsSource
    from ._task import Task
    from ._tokens import HeldToken, LookerToken

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LogoutResult:
    """The outcome of `TokenBrokerClient.logout()`."""

    revoked: int
    """Tokens whose end Looker has confirmed."""
    pending: int
    """Tokens that are given to nobody any more, while Looker has yet to confirm."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller, as the broker sees it."""

    arn: str
    """Path-less ARN of the IAM role or user."""
    account: str
    unique_id: str
    """IAM's immutable id."""


@dataclass(frozen=True, slots=True)
class ScopeGrant:
    """A scope that lists the caller."""

    scope: str
    base_url: str
    """The scope's Looker."""
    lease_seconds: int
    """How long a new lease lives."""
    may: tuple[Literal["token", "operate"], ...]


@dataclass(frozen=True, slots=True)
class Permissions:
    """The answer of `TokenBrokerClient.permissions()`."""

    caller: Caller
    scopes: tuple[ScopeGrant, ...]


class TokenSource(Protocol):
    """What `looker_token_client.looker.sdk40` needs of a client. A test of a service passes its own, without a broker."""

    @property
    def session(self) -> str | None:
        """The name of the session; None for the token that the role shares."""

    @property
    def has_token(self) -> bool:
        """Whether `token()` would answer from memory."""

    def token(self) -> LookerToken:
        """A live token."""

    def with_token(self, use: Callable[[LookerToken], T]) -> T:
        """Calls `use`, and once more with another token where Looker refuses the first."""

    def logout(self) -> LogoutResult:
        """Ends the leases of the session."""


class TokenBrokerClient:
    """Looker tokens of one scope. Make one when the process starts: it may be used by many threads, and after a fork.

    Args:
        scope: The grant whose tokens these are.
        session: A name for a token of its own, so for a Looker API session with its own workspace. Clients of one role
            share a token without it, and with the same name. For jobs and tools; services share. Each session takes a
            login at Looker.
        endpoint: The URL that the deployment printed, with the stage. Default: `LOOKER_BROKER_ENDPOINT`.
        region: The region of the API. Default: from the endpoint's name, `AWS_REGION`, `AWS_DEFAULT_REGION`.
        credentials: Credentials of botocore or boto3, or a function that returns some, such as
            `boto3.Session(profile_name="reports").get_credentials`. Default: botocore's chain.
        timeout_seconds: How long a call may wait in all for a broker that is busy or away; then it fails.

    Raises:
        TokenBrokerError: `bad_request`, `no_endpoint` or `no_region`, if an option is missing or wrong. Nothing is sent.

    Example:
        >>> client = TokenBrokerClient("sales")
        >>> client.token()
        LookerToken(lease_id='lease-1', scope='sales', base_url='https://example.cloud.looker.com', expires_at=...)

    """

    def __init__(
        self,
        scope: str,
        session: str | None = None,
        *,
        endpoint: str | None = None,
        region: str | None = None,
        credentials: CredentialsSource | None = None,
        timeout_seconds: float = 30.0,
    ) -> None:
        self._scope = check_scope(scope)
        self._session = check_session(session)
        self._timeout_seconds = check_timeout(timeout_seconds)
        self._broker = Broker(endpoint_of(endpoint, region), Credentials(credentials), self._clock())
        self._cache = TokenCache(
            scope, timeout_seconds, self._broker.clock, self._ask, self._broker.credentials
        )
        renewed_after_fork(self._broker.credentials)
        renewed_after_fork(self._cache)

    def _clock(self) -> Clock:
        """Tests have their own."""
        return SystemClock()

    def __repr__(self) -> str:
        return (
            f"TokenBrokerClient({self._scope!r}, {self._session!r}, endpoint={self._broker.endpoint.url!r})"
        )

    @property
    def scope(self) -> str:
        """The grant whose tokens these are."""
        return self._scope

    @property
    def session(self) -> str | None:
        """The name of the session; None for the token that the role shares."""
        return self._session

    @property
    def has_token(self) -> bool:
        """Whether a call to `token()` would be answered from memory."""
        return self._cache.has_token

    def token(self, min_ttl_seconds: int | None = None) -> LookerToken:
        """A live token: from memory, or from the broker where none there has enough life left.

        While the broker cannot be asked, and no `min_ttl_seconds` is named, a token is served to its very end.

        Args:
            min_ttl_seconds: The least life that the token must have left, 1 to half of the scope's lease. Default 60.

        Raises:
            TokenBrokerError: The broker refuses, or gave no token within the time-out.

        """
        return self._cache.token(min_ttl_seconds)

    def with_token(self, use: Callable[[LookerToken], T], min_ttl_seconds: int | None = None) -> T:
        """Calls `use` with a token, and where Looker refuses that, once more with another.

        Looker's refusal is an answer with `headers` and a `status_code` or `status` of 401 that is returned (requests,
        httpx, urllib3), or an exception that is raised with such a number, or with a `response` that has it. The lease is
        then reported to the broker as stale, once for all threads that meet it.

        Args:
            use: The call to Looker.
            min_ttl_seconds: As for `token()`.

        Raises:
            TokenBrokerError: As for `token()`; `aborted` where `logout()` came between.

        Example:
            >>> def user(token):
            ...     return {"Authorization": f"Bearer {token.access_token}"} and "Ada"
            >>> TokenBrokerClient("sales").with_token(user)
            'Ada'

        """
        generation = self._cache.generation
        first = self.token(min_ttl_seconds)
        try:
            result = use(first)
        except Exception as error:
            if not is_unauthorized_error(error):
                raise
        else:
            if not is_unauthorized_answer(result):
                return result
            close_answer(result)
        return use(self._cache.replacement_for(first, generation, min_ttl_seconds))

    def logout(self, lease_id: str | None = None) -> LogoutResult:
        """Forgets the token and ends the leases at the broker.

        Calls to `token()` that still wait fail with `aborted`; later ones get a new lease.

        Args:
            lease_id: Only this lease. Default: the leases of this client's session. For a client without a session
                these are all leases of the caller in the scope, so those of every process of the role.

        Raises:
            TokenBrokerError: The broker refuses or is away. The token is forgotten all the same.

        Example:
            >>> TokenBrokerClient("sales", "nightly").logout()
            LogoutResult(revoked=1, pending=0)

        """
        check_text("lease_id", lease_id, "bad_request")
        body = self._with_session({} if lease_id is None else {"lease_id": lease_id})
        with self._cache.logging_out(lease_id):
            # Without a body where there is nothing to say.
            answer = self._call(Request("POST", f"/scopes/{self._scope}/logout", body or None))
        revoked, pending = answer.body.get("revoked"), answer.body.get("pending")
        if not (isinstance(revoked, int) and isinstance(pending, int)):
            raise _not_a_broker()
        return LogoutResult(revoked, pending)

    def permissions(self) -> Permissions:
        """Who the caller is to the broker, and the scopes that list it. Its IAM policy is another lock, and not shown.

        Raises:
            TokenBrokerError: The broker refuses or is away.

        Example:
            >>> TokenBrokerClient("sales").permissions().caller.arn
            'arn:aws:iam::111122223333:role/report-service'

        """
        permissions = _permissions(self._call(Request("GET", "/scopes")).body)
        if permissions is None:
            raise _not_a_broker()
        return permissions

    def __enter__(self) -> Self:
        """For a block of work: with a session, its token ends with the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends the session's lease. The shared lease of the role stays: other processes use it."""
        if self._session is not None:
            self.logout()

    def _ask(self, task: Task[HeldToken], body: dict[str, object], seconds: float, *, once: bool) -> Answer:
        request = Request("POST", f"/scopes/{self._scope}/token", self._with_session(body))
        if once:
            return self._broker.attempt(task, request, seconds)
        return self._broker.answer(task, request, seconds)

    def _call(self, request: Request) -> Answer:
        return self._broker.call(request, self._timeout_seconds)

    def _with_session(self, body: dict[str, object]) -> dict[str, object]:
        """Without a field where there is no session, because an older broker refuses unknown fields."""
        return body if self._session is None else {**body, "session": self._session}


def _permissions(body: Mapping[str, object]) -> Permissions | None:
    """None if the body has another form. It raises nothing: the frame holds the body, which may be a token's."""
    try:
        caller, scopes = body["caller"], body["scopes"]
        return Permissions(
            Caller(str(caller["arn"]), str(caller["account"]), str(caller["unique_id"])),  # type: ignore[index]
            tuple(
                ScopeGrant(each["scope"], each["base_url"], each["lease_seconds"], tuple(each["may"]))
                for each in scopes  # type: ignore[attr-defined]
            ),
        )
    except (KeyError, TypeError):
        return None


def _not_a_broker() -> TokenBrokerError:
    return TokenBrokerError("not_a_broker", "The answer is not a token broker's.")
