"""Looker's SDK with tokens of the broker, in place of a client id and a client secret. Needs the extra `sdk`.

Example:
    >>> sdk = init40("sales")
    >>> sdk.me("display_name").display_name
    'Ada'

"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import requests
from looker_sdk.rtl import api_settings, auth_session, auth_token, requests_transport, serialize, transport
from looker_sdk.sdk import constants
from looker_sdk.sdk.api40 import methods

from ._client import TokenBrokerClient, TokenSource
from ._errors import TokenBrokerError
from ._fork import renewed_after_fork

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

    from typing_extensions import Self

    from ._credentials import CredentialsSource
    from ._tokens import LookerToken

__all__ = ["LookerSDK", "init40", "sdk40"]

# The SDK takes the base URL when it is made, before any token. `.invalid` belongs to nobody:
# https://www.rfc-editor.org/rfc/rfc6761#section-6.4
_PLACEHOLDER = "https://looker.invalid"


def init40(
    scope: str,
    session: str | None = None,
    *,
    endpoint: str | None = None,
    region: str | None = None,
    credentials: CredentialsSource | None = None,
    timeout_seconds: float = 30.0,
) -> LookerSDK:
    """In the place of `looker_sdk.init40()`: a `TokenBrokerClient` with Looker's SDK on it.

    Options, threads, forks, the end of a `with` block and errors are that client's. Nothing is asked before the first call.

    Example:
        >>> with init40("sales", "nightly") as sdk:
        ...     sdk.me("display_name").display_name
        'Ada'

    """
    client = TokenBrokerClient(
        scope,
        session,
        endpoint=endpoint,
        region=region,
        credentials=credentials,
        timeout_seconds=timeout_seconds,
    )
    return sdk40(client)


def sdk40(source: TokenSource) -> LookerSDK:
    """Looker's SDK on a client of yours, or in a service's own tests on a `TokenSource` that asks no broker.

    Example:
        >>> sdk40(TokenBrokerClient("sales")).me("display_name").display_name
        'Ada'

    """
    # No file and no environment: a `looker.ini` with another service's secret would be read.
    settings = api_settings.ApiSettings(filename="", sdk_version=constants.sdk_version)
    settings.base_url = _PLACEHOLDER
    http = _Transport(settings, source)
    auth = _Session(settings, http, source)
    return LookerSDK(auth, serialize.deserialize40, serialize.serialize40, http, "4.0")


class LookerSDK(methods.Looker40SDK):
    """Looker's SDK, whose tokens are the broker's."""

    def __enter__(self) -> Self:
        """As for `TokenBrokerClient`."""
        return self

    def __exit__(self, *_: object) -> None:
        """Looker's own logs out, also where the token is shared."""
        assert isinstance(self.auth, _Session)  # noqa: S101
        if self.auth.source.session is not None:
            self.auth.logout()


class _Session(auth_session.AuthSession):
    """Tokens are the source's: nothing is kept here."""

    def __init__(
        self, settings: api_settings.PApiSettings, http: transport.Transport, source: TokenSource
    ) -> None:
        self.source = source
        super().__init__(settings, http, serialize.deserialize40, "4.0")

    # For services that read `sdk.auth.token.access_token`. Looker's class sets it in its constructor.
    @property
    def token(self) -> auth_token.AuthToken:
        return self._get_token({})

    @token.setter
    def token(self, _: auth_token.AuthToken) -> None:
        pass

    @property
    def is_authenticated(self) -> bool:
        return self.source.has_token

    def _get_token(self, _: transport.TransportOptions) -> auth_token.AuthToken:
        token = self.source.token()
        given = auth_token.AuthToken()
        given.access_token, given.token_type = token.access_token, "Bearer"
        given.expires_at = token.expires_at.astimezone().replace(tzinfo=None)
        return given

    def login_user(self, sudo_id: int, transport_options: transport.TransportOptions | None = None) -> None:
        raise TokenBrokerError(
            "sudo_unsupported", "A session of the token broker cannot run as another Looker user."
        )

    def logout(self, full: bool = False, transport_options: transport.TransportOptions | None = None) -> None:
        """By the broker, which then gives the token to nobody else either."""
        self.source.logout()


class _UnauthorizedError(Exception):
    """Looker's 401. Not one of requests' errors: Looker's transport would make a text of it."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__("Looker does not take the token.")
        self.response = response


class _Http(requests.Session):
    """Looker's transport keeps no status. So a 401 is raised past it, to the client that recovers."""

    def __init__(self) -> None:
        super().__init__()
        # A redirect is an error: nobody but Looker itself shall see the token.
        self.max_redirects = 0
        renewed_after_fork(self)

    def renew_after_fork(self) -> None:
        """A child must not write into the connections of its parent."""
        for prefix in list(self.adapters):
            self.mount(prefix, requests.adapters.HTTPAdapter())

    def request(self, *args: Any, **options: Any) -> requests.Response:  # noqa: ANN401
        response = super().request(*args, **options)
        if response.status_code == requests.codes.unauthorized:
            raise _UnauthorizedError(response)
        return response


class _Transport(requests_transport.RequestsTransport):
    """Looker's own transport, with a token of the source for each call."""

    def __init__(self, settings: transport.PTransportSettings, source: TokenSource) -> None:
        super().__init__(settings, _Http())
        self._source = source
        # Bases that SDKs made so far may have put before their paths.
        self._bases = {_PLACEHOLDER}

    def request(
        self,
        method: transport.HttpMethod,
        path: str,
        query_params: MutableMapping[str, str] | None = None,
        body: bytes | None = None,
        authenticator: transport.TAuthenticator = None,
        transport_options: transport.TransportOptions | None = None,
    ) -> transport.Response:
        # Behind the broker's back it would end the token of every process of this role, and be served on.
        if (
            authenticator
            and method is transport.HttpMethod.DELETE
            and re.search(r"/api/[\w.]+/logout$", path)
        ):
            self._source.logout()
            return transport.Response(True, b"", transport.ResponseMode.STRING)

        def once(token: LookerToken) -> transport.Response:
            def bearer(_: transport.TransportOptions) -> dict[str, str]:
                return {"Authorization": f"Bearer {token.access_token}"}

            return super(_Transport, self).request(
                method, self._url_for(path, token), query_params, body, bearer, transport_options
            )

        try:
            if authenticator:
                return self._source.with_token(once)
            return super().request(method, path, query_params, body, None, transport_options)
        except _UnauthorizedError as refused:
            return transport.Response(False, refused.response.content, transport.ResponseMode.STRING)

    def _url_for(self, path: str, token: LookerToken) -> str:
        """Only the token says which Looker it is for, and only there it is sent."""
        self._bases.add(token.base_url)
        self.settings.base_url = token.base_url
        for base in self._bases:
            if path.startswith(f"{base}/"):
                return f"{token.base_url}{path[len(base) :]}"
        raise TokenBrokerError(
            "bad_request",
            f"A token of {token.base_url} is not sent to another address.",
            hint="Call the API by its path, or fetch that address without this SDK.",
        )
