"""Looker's SDK with tokens of the token broker, in place of a client id and a client secret."""

import email.utils
import json
import os
import random
import re
import threading
import time
import urllib.parse

import botocore.session
import requests
from botocore import exceptions
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from looker_sdk import error, methods40
from looker_sdk.rtl import api_settings, auth_session, auth_token, requests_transport, serialize


def init40(scope: str, budget_seconds: float = 30) -> methods40.Looker40SDK:
    """In the place of looker_sdk.init40(). Make one when the process starts: it may be used by many threads."""
    broker = TokenBroker(scope, budget_seconds)
    lease = broker.token()
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
    """The broker refuses, or is away: its status, and the `code` that says what is wrong. It holds no token."""


class TokenBroker:
    """Requests signed with the AWS credentials that the process has: those of its role, renewed by botocore."""

    def __init__(self, scope: str, budget_seconds: float):
        self._scope = scope
        self._budget_seconds = budget_seconds
        self._endpoint = os.environ.get("LOOKER_BROKER_ENDPOINT", "").rstrip("/")
        if not self._endpoint:
            raise TokenBrokerError("LOOKER_BROKER_ENDPOINT is the URL that the deployment printed.")
        self._region = region_of(self._endpoint)
        self._credentials = botocore.session.get_session().get_credentials()
        if self._credentials is None:
            raise TokenBrokerError("There are no AWS credentials.")
        # To connect, and to answer. Redirects are not followed.
        self._http = URLLib3Session(timeout=(5, 15))

    def token(self, **body: str) -> dict:
        lease = self.post("token", **body)
        if not {"access_token", "expires_in", "lease_id", "base_url"} <= lease.keys():
            raise TokenBrokerError(f"What answers at {self._endpoint} is no token broker.")
        return lease

    def post(self, verb: str, **body: str) -> dict:
        """
        What is busy, throttled or away is tried again, as Retry-After says or with growing pauses. No try begins when the
        budget is spent, or when the pause would spend it.
        """
        give_up = time.monotonic() + self._budget_seconds
        pause_at_most = 0.5
        while True:
            asked = None
            try:
                response = self._send(verb, json.dumps(body))
            except (exceptions.ConnectionError, exceptions.HTTPClientError) as failure:
                problem = TokenBrokerError(f"The token broker cannot be reached: {failure}")
            else:
                answer = json_of(response)
                if 200 <= response.status_code < 300 and answer is not None:
                    return answer
                problem = TokenBrokerError(self._refusal(response, answer))
                if response.status_code not in (429, 503, 504):
                    raise problem
                asked = retry_after(response)
            # At random, so that those who failed together do not come back together.
            pause = random.uniform(0, pause_at_most) if asked is None else asked + random.random()
            pause_at_most = min(8, 2 * pause_at_most)
            if time.monotonic() + pause > give_up:
                raise problem
            time.sleep(pause)

    def _refusal(self, response, answer: dict | None) -> str:
        """
        In a line. To a wrong signature API Gateway says all that was signed, the session token too: that begins with a new
        line.
        """
        if answer is None:
            page = " ".join(response.text.split())[:100]
            return f"What answers at {self._endpoint} is no token broker: {response.status_code} {page}"
        known = ("code", "title", "detail", "message", "Message", "request_id")
        said = [str(answer[name]).partition("\n")[0] for name in known if name in answer]
        return f"{response.status_code} {': '.join(said)}"

    def _send(self, verb: str, body: str):
        url = f"{self._endpoint}/scopes/{urllib.parse.quote(self._scope, safe='')}/{verb}"
        request = AWSRequest("POST", url, data=body, headers={"Content-Type": "application/json"})
        credentials = self._credentials.get_frozen_credentials()
        SigV4Auth(credentials, "execute-api", self._region).add_auth(request)
        return self._http.send(request.prepare())


def region_of(endpoint: str) -> str:
    """As the endpoint's name says; of a custom domain, the environment's."""
    found = re.search(r"\.execute-api\.([a-z0-9-]+)\.", endpoint)
    region = found[1] if found else os.environ.get("AWS_REGION", os.environ.get("AWS_DEFAULT_REGION"))
    if not region:
        raise TokenBrokerError("AWS_REGION is the region of the broker's API.")
    return region


def json_of(response) -> dict | None:
    try:
        answer = json.loads(response.content)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def retry_after(response) -> float | None:
    """Seconds or a date: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after"""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


class BrokerSession(auth_session.AuthSession):
    """Renews by asking the broker, once however many threads ask."""

    def __init__(self, settings, transport, broker: TokenBroker, lease: dict):
        super().__init__(settings, transport, serialize.deserialize40, "4.0")
        self._broker = broker
        self._renewing = threading.Lock()
        self._failure, self._failed_at = "", float("-inf")
        self._take(lease)

    def _login(self, transport_options) -> None:
        self._renew(lambda: self.is_authenticated)

    def instead_of(self, dead_token: str) -> str:
        """Another token than one that Looker refused."""
        lease_id = self._lease_id
        self._renew(lambda: self.token.access_token != dead_token, stale_lease_id=lease_id)
        return self.token.access_token

    def _renew(self, is_done, **body: str) -> None:
        asked_at = time.monotonic()
        with self._renewing:
            if is_done():
                return
            # Who waited for a renewal that failed fails with it, and does not spend another budget while others wait.
            if self._failed_at > asked_at:
                raise TokenBrokerError(self._failure)
            try:
                self._take(self._broker.token(**body))
            except Exception as failure:
                self._failure, self._failed_at = str(failure), time.monotonic()
                raise

    def _take(self, lease: dict) -> None:
        if lease["base_url"] != self.settings.base_url:
            raise TokenBrokerError(f"The scope is now at {lease['base_url']}: restart this process.")
        access_token = auth_token.AccessToken(
            access_token=lease["access_token"], token_type="Bearer", expires_in=lease["expires_in"]
        )
        self._lease_id = lease["lease_id"]
        self.token = auth_token.AuthToken(access_token)

    def _logout(self, sudo=False, transport_options=None) -> None:
        """By the broker, which then gives the token to nobody else either."""
        with self._renewing:
            self.token = auth_token.AuthToken()
            self._broker.post("logout", lease_id=self._lease_id)

    def login_user(self, sudo_id, transport_options=None) -> None:
        raise error.SDKError("A session of the token broker cannot run as another Looker user.")


class LookerHttp(requests.Session):
    """Where Looker refuses a token, since somebody has ended it, makes the call once more with another."""

    auth_session: BrokerSession

    def request(self, method, url, headers=None, **options):
        response = super().request(method, url, headers=headers, **options)
        scheme, _, token = (headers or {}).get("Authorization", "").partition(" ")
        if response.status_code != 401 or not token:
            return response
        headers = {**headers, "Authorization": f"{scheme} {self.auth_session.instead_of(token)}"}
        return super().request(method, url, headers=headers, **options)
