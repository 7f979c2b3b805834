"""Signed requests to the broker, and their answers or errors."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from botocore import exceptions
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from ._credentials import Credentials, FrozenCredentials, is_same
from ._errors import TokenBrokerError
from ._refusals import HttpAnswer, refusal_of
from ._task import Task
from ._unreachable import unreachable_error
from ._waiting import Clock, stopwatch, with_retries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._connection import Endpoint

_CONNECT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Request:
    """One of the broker's routes for callers."""

    method: str
    path: str
    """Behind the endpoint: `/scopes/sales/token`."""
    body: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A success."""

    body: Mapping[str, object] = field(repr=False)
    access_key: str | None
    """Of the AWS credentials that signed the request."""
    elapsed_seconds: Callable[[], float] = field(repr=False)
    """Since the request was sent: `expires_in` may have been true as early as then."""


@dataclass(frozen=True, slots=True)
class Broker:
    """The broker, as one caller asks it."""

    endpoint: Endpoint
    credentials: Credentials
    clock: Clock

    def call(self, request: Request, timeout_seconds: float) -> Answer:
        """Waits for the answer. Raises `TokenBrokerError` for anything but a success, at the latest when time is up."""
        task = Task[Answer](
            lambda task: self.answer(task, request, timeout_seconds),
            late=lambda: self._no_answer(timeout_seconds),
        )
        task.start()
        try:
            return task.wait(timeout_seconds)
        finally:
            task.stop(TokenBrokerError("aborted", "Nobody waits for it any more."))

    def answer(self, task: Task[Any], request: Request, budget_seconds: float) -> Answer:
        """In the thread of a task: with retries."""
        return with_retries(
            lambda seconds: self.attempt(task, request, seconds),
            budget_seconds,
            task.stopped,
            self.clock,
        )

    def attempt(self, task: Task[Any], request: Request, seconds: float) -> Answer:
        """In the thread of a task: once, and once more with fresh keys."""
        keys = self._keys(task, seconds)
        try:
            return self._send(request, keys, seconds)
        except TokenBrokerError as error:
            if error.code not in ("expired_credentials", "bad_credentials"):
                raise
            # They may have been renewed since the provider looked: by `aws sso login`, by a rotation, in the environment.
            renewed = self._keys(task, seconds, anew=True)
            if is_same(keys, renewed):
                raise
        return self._send(request, renewed, seconds)

    def _keys(self, task: Task[Any], seconds: float, *, anew: bool = False) -> FrozenCredentials:
        task.late = self.credentials.give_up
        keys = self.credentials.keys(anew=anew)
        # They came too late for the caller: a logout must not happen after it was told to have failed.
        if task.stopped.is_set():
            raise TokenBrokerError("aborted", "Nobody waits for it any more.")
        task.late = lambda: self._no_answer(seconds)
        return keys

    def _send(self, request: Request, keys: FrozenCredentials, seconds: float) -> Answer:
        elapsed_seconds = stopwatch(self.clock)
        status, headers, content = self._exchange(request, keys, seconds)
        answer = HttpAnswer(status, headers, _json(content), self.clock.now())
        if 200 <= status < 300 and isinstance(answer.json, dict):
            return Answer(answer.json, keys.access_key, elapsed_seconds)
        raise refusal_of(answer, self.endpoint)

    def _exchange(
        self, request: Request, keys: FrozenCredentials, seconds: float
    ) -> tuple[int, dict[str, str], bytes]:
        """botocore's own HTTP: it follows no redirect, which would carry the signature to another host, and reads no netrc.

        A session for each request: the broker is asked once in many minutes, and a child of a fork must not share its
        parent's connections.
        """
        url = f"{self.endpoint.url}{request.path}"
        data = None if request.body is None else json.dumps(request.body).encode()
        headers = {} if data is None else {"Content-Type": "application/json"}
        signed = AWSRequest(request.method, url, headers=headers, data=data)
        signer = ReadOnlyCredentials(keys.access_key, keys.secret_key, keys.token)
        SigV4Auth(signer, "execute-api", self.endpoint.region).add_auth(signed)
        http = URLLib3Session(
            # A private authority's certificate, as AWS's SDKs are told of it.
            verify=os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE") or True,
            # A request to this machine is in plain text, and goes to no other.
            proxies=get_environ_proxies(url) if urlsplit(url).scheme == "https" else {},
            timeout=(min(_CONNECT_SECONDS, seconds), seconds),
        )
        try:
            response = http.send(signed.prepare())
            return response.status_code, {k.lower(): v for k, v in response.headers.items()}, response.content
        except exceptions.ReadTimeoutError:
            raise self._no_answer(seconds) from None
        except Exception as error:  # noqa: BLE001 - botocore wraps most failures of urllib3, and not all.
            raise unreachable_error(error, self.endpoint.host) from None
        finally:
            http.close()

    def _no_answer(self, seconds: float) -> TokenBrokerError:
        return TokenBrokerError(
            "timed_out",
            f"{self.endpoint.host} gave no answer within {_rounded(seconds):g} s.",
            retryable=True,
        )


def _rounded(seconds: float) -> float:
    """To a tenth, and never nothing."""
    return max(0.1, round(seconds, 1))


def _json(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
