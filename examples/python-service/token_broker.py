"""Looker's SDK with tokens of the token broker, in place of a client id and a client secret."""

import json
import os
import random
import threading
import time
import urllib.parse

import botocore.session
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from looker_sdk import error, methods40
from looker_sdk.rtl import api_settings, auth_session, auth_token, requests_transport, serialize


def init40(scope: str) -> methods40.Looker40SDK:
    """In the place of looker_sdk.init40(). Make one when the process starts: it may be used by many threads."""
    broker = TokenBroker(scope)
    lease = broker.post("token")
    settings = api_settings.ApiSettings()
    settings.base_url = lease["base_url"]
    http = LookerHttp()
    transport = requests_transport.RequestsTransport(settings, http)
    http.auth_session = BrokerSession(settings, transport, broker, lease)
    return LookerSDK(
        http.auth_session, serialize.deserialize40, serialize.serialize40, transport, "4.0"
    )


class LookerSDK(methods40.Looker40SDK):
    def logout(self, transport_options=None) -> str:
        """Looker's own would end the token behind the broker's back, which would go on giving it."""
        self.auth.logout()
        return ""


class TokenBrokerError(Exception):
    """The broker refuses, or is away: its status, and the `code` that says what is wrong."""


class TokenBroker:
    """Requests signed with the AWS credentials that the process has: those of its role, renewed by botocore."""

    def __init__(self, scope: str, budget_seconds: float = 30):
        self._scope = scope
        self._budget_seconds = budget_seconds
        self._endpoint = os.environ["LOOKER_BROKER_ENDPOINT"]
        self._region = os.environ["AWS_REGION"]
        self._credentials = botocore.session.get_session().get_credentials()
        if self._credentials is None:
            raise TokenBrokerError("There are no AWS credentials.")
        # Redirects are not followed.
        self._http = URLLib3Session(timeout=30)

    def post(self, verb: str, **body: str) -> dict:
        """What is busy or throttled is tried again, as Retry-After says, until the budget is spent."""
        give_up = time.monotonic() + self._budget_seconds
        while True:
            response = self._send(verb, json.dumps(body))
            if response.status_code < 300:
                return json.loads(response.content)
            wait = float(response.headers.get("Retry-After", 1)) + random.random()
            if response.status_code not in (429, 503) or time.monotonic() + wait > give_up:
                raise TokenBrokerError(f"{response.status_code} {response.text}")
            time.sleep(wait)

    def _send(self, verb: str, body: str):
        url = f"{self._endpoint}/scopes/{urllib.parse.quote(self._scope, safe='')}/{verb}"
        request = AWSRequest("POST", url, data=body, headers={"Content-Type": "application/json"})
        credentials = self._credentials.get_frozen_credentials()
        SigV4Auth(credentials, "execute-api", self._region).add_auth(request)
        return self._http.send(request.prepare())


class BrokerSession(auth_session.AuthSession):
    """Renews by asking the broker, once however many threads ask."""

    def __init__(self, settings, transport, broker: TokenBroker, lease: dict):
        super().__init__(settings, transport, serialize.deserialize40, "4.0")
        self._broker = broker
        self._renewing = threading.Lock()
        self._take(lease)

    def _login(self, transport_options) -> None:
        with self._renewing:
            if not self.is_authenticated:
                self._take(self._broker.post("token"))

    def instead_of(self, dead_token: str) -> str:
        """Another token than one that Looker refused."""
        with self._renewing:
            if self.token.access_token == dead_token:
                self._take(self._broker.post("token", stale_lease_id=self._lease_id))
            return self.token.access_token

    def _take(self, lease: dict) -> None:
        access_token = auth_token.AccessToken(
            access_token=lease["access_token"], token_type="Bearer", expires_in=lease["expires_in"]
        )
        self._lease_id = lease["lease_id"]
        self.token = auth_token.AuthToken(access_token)

    def _logout(self, sudo=False, transport_options=None) -> None:
        """By the broker, which then gives the token to nobody else either."""
        self.token = auth_token.AuthToken()
        self._broker.post("logout", lease_id=self._lease_id)

    def login_user(self, sudo_id, transport_options=None) -> None:
        raise error.SDKError("A session of the token broker cannot run as another Looker user.")


class LookerHttp(requests.Session):
    """Where Looker refuses a token, since somebody has ended it, makes the call once more with another."""

    auth_session: BrokerSession

    def request(self, method, url, headers=None, **options):
        response = super().request(method, url, headers=headers, **options)
        if response.status_code != 401:
            return response
        scheme, _, token = headers["Authorization"].partition(" ")
        headers = {**headers, "Authorization": f"{scheme} {self.auth_session.instead_of(token)}"}
        return super().request(method, url, headers=headers, **options)
