"""AWS credentials: botocore's chain as it is, and sources that fail, hang or have stray characters."""

from __future__ import annotations

import socket
import threading
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore import exceptions
from botocore.credentials import Credentials, RefreshableCredentials

from looker_token_client import TokenBrokerError
from looker_token_client._credentials import Credentials as ClientCredentials

from .fake_broker import FakeBroker, Reply
from .stand import SECRET_KEY, TestClock, background_is_over, client_of, new_leases, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_GOOD = Credentials("AKIDEXAMPLE", SECRET_KEY)


def failure(broker: FakeBroker, **options: Any) -> TokenBrokerError:
    with pytest.raises(TokenBrokerError) as raised:
        client_of(broker, options.pop("clock", None), **options).token()
    return raised.value


def raising(error: Exception) -> Callable[[], Credentials]:
    def source() -> Credentials:
        raise error

    return source


def test_without_any_credentials_it_says_so(broker: FakeBroker) -> None:
    error = failure(broker, credentials=None)
    assert (error.code, error.message) == ("no_credentials", "No AWS credentials were found.")


def test_keys_of_the_environment_are_used(broker: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    client_of(broker, credentials=None).token()
    assert "Credential=AKIDENVIRONMENT/" in broker.asked[0].headers["authorization"]


def test_a_profile_that_does_not_exist_is_named(broker: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "work")
    error = failure(broker, credentials=None)
    assert error.code == "no_credentials"
    assert error.message == "The AWS profile work gives no credentials (ProfileNotFound)."


def test_an_sso_session_that_has_ended_names_the_command_that_renews_it(
    broker: FakeBroker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text(
        "[profile work]\nsso_start_url = https://example.awsapps.com/start\nsso_region = eu-west-1\n"
        "sso_account_id = 111122223333\nsso_role_name = report-service\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "work")
    error = failure(broker, credentials=None)
    assert error.message == "The SSO session of the AWS profile work has expired or was never begun."
    assert error.hint == "Run `aws sso login --profile work`."


def test_a_containers_source_that_does_not_answer_is_asked_again(
    broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.utils.ContainerMetadataFetcher.RETRY_ATTEMPTS", 1)
    expiration = (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    keys = {"AccessKeyId": "ASIAX", "SecretAccessKey": "s", "Token": "t", "Expiration": expiration}
    with FakeBroker(lambda _: Reply(500) if len(container.asked) == 1 else Reply(200, keys)) as container:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{container.url}/credentials")
        clock = TestClock()
        assert client_of(broker, clock, credentials=None).token().lease_id == "lease-1"
    assert len(clock.slept) == 1


@pytest.mark.parametrize("in_time", [True, False])
def test_keys_that_aws_refuses_are_renewed_once(broker: FakeBroker, *, in_time: bool) -> None:
    expired = Reply(
        403,
        {"message": "The security token included in the request is expired"},
        {"x-amzn-errortype": "ExpiredTokenException"},
    )
    earlier = broker.answer
    broker.answer = lambda asked: earlier(asked) if "=NEW/" in asked.headers["authorization"] else expired
    given = iter(["OLD", "NEW" if in_time else "OLD"])
    client = client_of(broker, credentials=lambda: Credentials(next(given), "s"))
    if in_time:
        assert client.token().lease_id == "lease-1"
        assert len(broker.asked) == 2
    else:
        with pytest.raises(TokenBrokerError) as raised:
            client.token()
        assert raised.value.code == "expired_credentials"
        assert len(broker.asked) == 1


def client_error(code: str, status: int, message: str = "Oops") -> exceptions.ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return exceptions.ClientError(response, "AssumeRole")


@pytest.mark.parametrize(
    "thrown",
    [
        exceptions.EndpointConnectionError(
            endpoint_url="https://sts", error=ConnectionRefusedError(111, "no")
        ),
        exceptions.ConnectTimeoutError(endpoint_url="https://sts", error=TimeoutError()),
        exceptions.MetadataRetrievalError(error_msg="no"),
        exceptions.CredentialRetrievalError(provider="container-role", error_msg="no"),
        client_error("Throttling", 400),
        client_error("InternalFailure", 500),
        ConnectionResetError(),
    ],
    ids=lambda each: type(each).__name__,
)
def test_keys_that_cannot_be_fetched_for_a_moment_are_waited_for(
    broker: FakeBroker, thrown: Exception
) -> None:
    failures = [thrown, thrown]
    clock = TestClock()
    client = client_of(broker, clock, credentials=lambda: _raise(failures.pop()) if failures else _GOOD)
    assert client.token().lease_id == "lease-1"
    assert len(clock.slept) == 2


def _raise(error: Exception) -> Credentials:
    raise error


@pytest.mark.parametrize(
    ("thrown", "message"),
    [
        (
            exceptions.CredentialRetrievalError(provider="custom-process", error_msg="--password hunter2"),
            "No AWS credentials were found (CredentialRetrievalError).",
        ),
        (
            exceptions.InvalidConfigError(error_msg="hunter2"),
            "No AWS credentials were found (InvalidConfigError).",
        ),
        (
            exceptions.EndpointConnectionError(
                endpoint_url="https://hunter2", error=socket.gaierror(socket.EAI_NONAME, "no")
            ),
            "The AWS credentials could not be fetched (ENOTFOUND).",
        ),
        (
            client_error(
                "AccessDenied",
                403,
                "User: arn:aws:sts::111122223333:assumed-role/aws-sso/me is not authorized to perform: sts:AssumeRole "
                "on resource: arn:aws:iam::111122223333:role/reports",
            ),
            "AWS does not let this identity assume the role arn:aws:iam::111122223333:role/reports.",
        ),
        (
            exceptions.UnauthorizedSSOTokenError(),
            "The SSO session has expired or was never begun.",
        ),
    ],
    ids=lambda each: type(each).__name__,
)
def test_keys_that_cannot_be_had_are_not_waited_for_and_the_providers_words_are_not_passed_on(
    broker: FakeBroker, thrown: Exception, message: str
) -> None:
    clock = TestClock()
    error = failure(broker, clock=clock, credentials=raising(thrown))
    assert error.message == message
    assert clock.slept == []
    assert "hunter2" not in repr(error) + str(error)


@pytest.mark.parametrize(
    ("part", "variable"),
    [
        ("access key", "AWS_ACCESS_KEY_ID"),
        ("secret key", "AWS_SECRET_ACCESS_KEY"),
        ("session token", "AWS_SESSION_TOKEN"),
    ],
)
@pytest.mark.parametrize("stray", ["\r", "\n", " x", "\u2028"])
def test_a_key_that_cannot_be_a_header_names_its_variable_and_is_not_sent(
    broker: FakeBroker, part: str, variable: str, stray: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "sk", "AWS_SESSION_TOKEN": "st"}
    for name, value in keys.items():
        monkeypatch.setenv(name, f"{value}{stray}" if name == variable else value)
    clock = TestClock()
    error = failure(broker, clock=clock, credentials=None)
    assert error.code == "bad_credentials"
    assert error.message.startswith(
        f"The {part} of the AWS credentials, {variable}, has a blank, a line break"
    )
    assert (clock.slept, broker.asked) == ([], [])


@pytest.mark.parametrize(
    ("keys", "part"),
    [
        (Credentials(None, None), "access key"),
        (Credentials("A", None), "secret key"),
        (Credentials("A", ""), "secret key"),
        (Credentials(5, "s"), "access key"),
        (Credentials("A", "s", 5), "session token"),
    ],
)
def test_a_key_that_is_missing_or_not_a_text_is_named_and_not_sent(
    broker: FakeBroker, keys: Credentials, part: str
) -> None:
    error = failure(broker, credentials=keys)
    assert (error.code, broker.asked) == ("bad_credentials", [])
    assert error.message == f"The AWS credentials have no {part}, or one that is not a text."


class HangingSource:
    """As a pod identity agent that takes the connection and never answers."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.asked = 0

    def __call__(self) -> Credentials:
        self.asked += 1
        assert self.open.wait(10)
        return _GOOD


def test_keys_that_never_come_end_the_call_and_a_later_one_begins_anew(broker: FakeBroker) -> None:
    source = HangingSource()
    client = client_of(broker, credentials=source, timeout_seconds=0.2)
    for call in (client.token, client.logout, client.permissions):
        with pytest.raises(TokenBrokerError) as raised:
            call()
        assert raised.value.code == "credentials_unavailable"
        assert raised.value.message == "The AWS credentials could not be fetched (no answer)."
    assert broker.asked == []
    assert source.asked == 3
    source.open.set()
    # What was given up is not sent after all.
    background_is_over()
    assert broker.asked == []
    assert client.token().lease_id == "lease-1"


def test_a_renewal_of_keys_that_hangs_under_botocores_lock_holds_up_no_later_call(broker: FakeBroker) -> None:
    """botocore renews under a lock: to ask the same object again would wait behind the request that hangs."""
    hanging = HangingSource()
    soon = datetime.now(timezone.utc) + timedelta(seconds=1)
    made: list[Any] = []

    def refresh() -> dict[str, str]:
        hanging()
        return {"access_key": "A", "secret_key": "s", "token": "t", "expiry_time": soon.isoformat()}

    def source() -> Any:
        made.append(_GOOD if made else RefreshableCredentials("A", "s", "t", soon, refresh, "fake"))
        return made[-1]

    client = client_of(broker, credentials=source, timeout_seconds=0.2)
    with pytest.raises(TokenBrokerError) as raised:
        client.token()
    assert raised.value.code == "credentials_unavailable"
    assert client.token().lease_id == "lease-1"
    hanging.open.set()


def test_a_credential_process_that_waits_for_a_code_ends_the_call(
    broker: FakeBroker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[profile work]\ncredential_process = sleep 2\n")
    monkeypatch.setenv("AWS_PROFILE", "work")
    error = failure(broker, credentials=None, timeout_seconds=0.3)
    assert error.code == "credentials_unavailable"


def test_requests_for_keys_that_hang_for_ever_are_few_and_a_source_that_answers_again_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr("looker_token_client._credentials.time", SimpleNamespace(monotonic=lambda: now[0]))
    source = HangingSource()
    credentials = ClientCredentials(source)
    refusals: list[str] = []

    def ask() -> None:
        try:
            credentials.keys()
        except TokenBrokerError as error:
            refusals.append(error.message)

    def call() -> None:
        asked, refused = source.asked, len(refusals)
        threading.Thread(target=ask, name="looker-token-client").start()
        until(lambda: source.asked > asked or len(refusals) > refused)

    # For an hour, by that clock.
    for _ in range(360):
        call()
        now[0] += 10
    assert source.asked == 15
    assert (
        refusals[-1]
        == "The AWS credentials could not be fetched (15 requests for them have not been answered)."
    )
    source.open.set()
    background_is_over()
    assert credentials.keys().access_key == _GOOD.access_key


def test_a_renewal_in_the_background_that_hangs_leaves_the_token_in_use() -> None:
    source = HangingSource()
    clock = TestClock()
    with FakeBroker(new_leases()) as broker:
        client = client_of(broker, clock, credentials=lambda: source() if broker.asked else _GOOD)
        client.token()
        client._broker.credentials.give_up()
        clock.advance(750)
        assert client.token().lease_id == "lease-1"
        # The single try is over, and the next one has to wait for a while.
        clock.advance(6)
        for _ in range(10):
            assert client.token().lease_id == "lease-1"
        assert source.asked == 1
        source.open.set()
