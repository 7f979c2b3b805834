"""Looker's refusal of a token, in the forms of the HTTP clients that services use."""

from __future__ import annotations

import io
import urllib.error
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import requests
import urllib3

if TYPE_CHECKING:
    from looker_token_client import LookerToken

    from .fake_broker import FakeBroker

from .stand import client_of


def requests_answer() -> requests.Response:
    response = requests.Response()
    response.status_code = 401
    return response


@pytest.mark.parametrize(
    "answer",
    [requests_answer(), urllib3.HTTPResponse(b"", status=401), SimpleNamespace(status=401, headers={})],
)
def test_an_answer_with_401_is_recovered(broker: FakeBroker, answer: Any) -> None:
    client = client_of(broker)
    assert client.with_token(lambda token: answer if token.lease_id == "lease-1" else "done") == "done"
    assert broker.bodies()[1] == {"min_ttl_seconds": 60, "stale_lease_id": "lease-1"}


@pytest.mark.parametrize(
    "error",
    [
        requests.HTTPError(response=requests_answer()),
        urllib.error.HTTPError("https://x.example", 401, "Unauthorized", None, io.BytesIO()),  # type: ignore[arg-type]
    ],
)
def test_an_exception_with_401_is_recovered(broker: FakeBroker, error: Exception) -> None:
    def use(token: LookerToken) -> str:
        if token.lease_id == "lease-1":
            raise error
        return "done"

    assert client_of(broker).with_token(use) == "done"


@pytest.mark.parametrize("value", [{"status": 401}, SimpleNamespace(status=401), 401, None])
def test_a_value_that_is_no_answer_is_not_taken_for_a_refusal(broker: FakeBroker, value: object) -> None:
    assert client_of(broker).with_token(lambda _: value) is value
    assert len(broker.asked) == 1


def test_other_exceptions_pass_as_they_are(broker: FakeBroker) -> None:
    thrown = ValueError("not about the token")

    def use(_: LookerToken) -> None:
        raise thrown

    with pytest.raises(ValueError, match="not about the token") as raised:
        client_of(broker).with_token(use)
    assert raised.value is thrown
    assert len(broker.asked) == 1


def test_an_answer_that_nobody_will_read_is_closed(broker: FakeBroker) -> None:
    closed: list[str] = []

    def use(token: LookerToken) -> SimpleNamespace:
        status = 401 if token.lease_id == "lease-1" else 200
        return SimpleNamespace(status_code=status, headers={}, close=lambda: closed.append(token.lease_id))

    client_of(broker).with_token(use)
    assert closed == ["lease-1"]
