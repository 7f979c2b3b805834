"""Options and environment: a mistake is told when the client is made, and nothing is sent."""

from __future__ import annotations

import math
from typing import Any

import pytest

from looker_token_client import TokenBrokerClient, TokenBrokerError
from looker_token_client._connection import endpoint_of

_EXECUTE_API = "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/v1"


def refused(code: str, **options: Any) -> TokenBrokerError:
    with pytest.raises(TokenBrokerError) as raised:
        TokenBrokerClient(**{"scope": "sales", "endpoint": _EXECUTE_API, **options})
    assert raised.value.code == code
    assert not raised.value.retryable
    return raised.value


def test_the_endpoint_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOKER_BROKER_ENDPOINT", f"{_EXECUTE_API}/")
    assert repr(TokenBrokerClient("sales")) == f"TokenBrokerClient('sales', None, endpoint='{_EXECUTE_API}')"


@pytest.mark.parametrize(
    ("endpoint", "region"),
    [
        (_EXECUTE_API, "eu-central-1"),
        ("https://a1-vpce-0123456789abcdef0.execute-api.us-gov-west-1.amazonaws.com/v1", "us-gov-west-1"),
        ("https://a1b2c3d4e5.execute-api.cn-north-1.amazonaws.com.cn/v1", "cn-north-1"),
        ("https://a1b2c3d4e5.execute-api.eu-west-1.api.aws/v1", "eu-west-1"),
        ("https://a1b2c3d4e5.execute-api.eusc-de-east-1.amazonaws.eu/v1", "eusc-de-east-1"),
        ("https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com./v1", "eu-west-1"),
    ],
)
def test_the_region_comes_from_the_endpoint(
    endpoint: str, region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    assert endpoint_of(endpoint, None).region == region


def test_the_region_of_a_domain_name_of_ones_own_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endpoint = "https://tokens.example.com"
    assert "only API Gateway's own host names tell it" in refused("no_region", endpoint=endpoint).message
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-1")
    assert endpoint_of(endpoint, None).region == "ap-south-1"
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert endpoint_of(endpoint, None).region == "eu-west-1"
    assert endpoint_of(endpoint, "us-west-2").region == "us-west-2"


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "tokens.example.com",
        "ftp://example.com",
        "https://u:p@example.com",
        "https://example.com/?a=b",
        "https://example.com/#a",
        "https://example.com:port",
        "http://example.com/v1",
        "http://127.0.0.1.example.com/v1",
        "https://",
    ],
)
def test_an_endpoint_that_is_not_a_plain_https_url_is_refused(endpoint: str) -> None:
    refused("no_endpoint", endpoint=endpoint, region="eu-west-1")


@pytest.mark.parametrize("endpoint", ["http://localhost:4180/v1", "http://127.0.0.1/v1", "http://[::1]:1/v1"])
def test_plain_http_is_for_this_machine(endpoint: str) -> None:
    assert endpoint_of(endpoint, "eu-west-1").url == endpoint


def test_a_vpc_endpoints_own_name_is_refused_with_the_name_to_pass() -> None:
    endpoint = "https://vpce-0123456789abcdef0-abcdefgh.execute-api.eu-west-1.vpce.amazonaws.com/v1"
    error = refused("no_endpoint", endpoint=endpoint)
    assert "does not say which API is meant" in error.message
    assert "https://API-ID-VPCE-ID.execute-api.REGION.amazonaws.com/STAGE" in error.hint


@pytest.mark.parametrize("text", ["eu-west-1\r", "eu west 1", "eu-west-1\n", " eu-west-1", "eu-wést-1"])
@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_a_region_that_cannot_be_a_header_names_its_variable(
    text: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, text)
    error = refused("no_region", endpoint="https://tokens.example.com")
    assert error.message.startswith(f"{variable} is not the name of a region")


def test_an_endpoint_with_a_line_break_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOKER_BROKER_ENDPOINT", f"{_EXECUTE_API}\r\n")
    assert "LOOKER_BROKER_ENDPOINT" in refused("no_endpoint", endpoint=None).message


@pytest.mark.parametrize("scope", ["", "Sales", "sales/../finance", "-sales", "a" * 64, "sales\n", None, 7])
def test_a_scope_that_could_be_another_path_is_refused(scope: Any) -> None:
    assert refused("bad_request", scope=scope).message.startswith("A scope's name is 1 to 63")


@pytest.mark.parametrize("session", ["", ".hidden", "-x", "a/b", "a b", "ä", "a" * 65, "a\n", 7])
def test_a_session_without_the_form_of_a_name_is_refused(session: Any) -> None:
    assert refused("bad_request", session=session).message.startswith("A session's name is 1 to 64")


@pytest.mark.parametrize("seconds", [math.nan, 0, -1, math.inf, 1e30, 10**400, "30", None, True])
def test_a_time_out_that_no_call_can_wait_for_is_refused(seconds: Any) -> None:
    assert refused("bad_request", timeout_seconds=seconds).message.startswith("timeout_seconds must be")


@pytest.mark.parametrize(
    ("option", "code"), [("endpoint", "no_endpoint"), ("region", "no_region"), ("credentials", "bad_request")]
)
@pytest.mark.parametrize("value", [5, True, b"hunter2", ["hunter2"], object()])
def test_an_option_of_another_type_is_named_and_not_shown(option: str, code: str, value: Any) -> None:
    message = refused(code, **{option: value}).message
    assert message.startswith(f"`{option}` must be ")
    assert "hunter2" not in message


@pytest.mark.parametrize(("option", "code"), [("endpoint", "no_endpoint"), ("region", "no_region")])
def test_an_empty_option_is_named_and_the_environment_is_not_taken_in_its_place(
    option: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOKER_BROKER_ENDPOINT", _EXECUTE_API)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert refused(code, **{option: ""}).message.startswith(f"`{option}` is empty")


@pytest.mark.parametrize("seconds", [math.nan, math.inf, 0, 1.5, 1_801, 10**400, "60", True])
def test_a_life_that_no_lease_has_is_refused(seconds: Any) -> None:
    client = TokenBrokerClient("sales", endpoint=_EXECUTE_API)
    with pytest.raises(TokenBrokerError, match="min_ttl_seconds must be") as raised:
        client.token(seconds)
    assert raised.value.code == "bad_request"


@pytest.mark.parametrize("lease", [5, b"lease-1", ""])
def test_a_lease_of_another_type_is_refused(lease: Any) -> None:
    with pytest.raises(TokenBrokerError, match="`lease_id`") as raised:
        TokenBrokerClient("sales", endpoint=_EXECUTE_API).logout(lease)
    assert raised.value.code == "bad_request"


def test_an_unknown_or_missing_option_is_a_type_error() -> None:
    client: Any = TokenBrokerClient
    with pytest.raises(TypeError, match="scop"):
        client(scop="sales")
    with pytest.raises(TypeError, match="budget_ms"):
        client("sales", budget_ms=1)
