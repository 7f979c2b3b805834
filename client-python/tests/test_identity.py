"""A client whose AWS credentials become another identity's does not serve the former one's token."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from botocore.credentials import Credentials, ReadOnlyCredentials, RefreshableCredentials

from looker_token_client import TokenBrokerClient, TokenBrokerError

from .fake_broker import Asked, FakeBroker, Reply
from .stand import TestClock, background_is_over, client_of, in_thread, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_DENIED = Reply(
    403,
    {"Message": "User: arn:aws:iam::111122223333:role/r is not authorized to perform: execute-api:Invoke"},
    {"x-amzn-errortype": "AccessDeniedException"},
)


@pytest.fixture(autouse=True)
def no_pause_between_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("looker_token_client._credentials._LOOK_PAUSE_SECONDS", 0)


def key_of(asked: Asked) -> str:
    return asked.headers["authorization"].split("Credential=")[1].split("/")[0]


def keys_of(broker: FakeBroker) -> list[str]:
    return [key_of(each) for each in broker.asked]


class Switching:
    """A source of the service's own, whose keys may become another user's."""

    def __init__(self) -> None:
        self.key = "FIRST"
        self.asked = 0

    def __call__(self) -> Credentials:
        self.asked += 1
        return Credentials(self.key, "s")


class OwnCredentials:
    """Not botocore's: reading the keys may take as long as it likes."""

    def __init__(self, source: Switching) -> None:
        self._source = source

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        return self._source().get_frozen_credentials()


def test_another_key_in_the_services_own_object_counts_at_once(broker: FakeBroker) -> None:
    credentials = Credentials("FIRST", "s")
    client = client_of(broker, credentials=credentials)
    client.token()
    credentials.access_key = "OTHER"
    assert not client.has_token
    assert client.token().lease_id == "lease-2"
    assert keys_of(broker) == ["FIRST", "OTHER"]


def test_another_key_counts_in_a_child_of_a_fork_that_has_asked_nothing_yet(broker: FakeBroker) -> None:
    credentials = Credentials("FIRST", "s")
    client = client_of(broker, credentials=credentials)
    client.token()
    client._broker.credentials.renew_after_fork()
    assert client.has_token
    credentials.access_key = "OTHER"
    assert not client.has_token


@pytest.mark.parametrize("wrap", [lambda source: source, OwnCredentials], ids=["function", "object"])
def test_a_source_is_looked_at_in_the_background(
    broker: FakeBroker, wrap: Callable[[Switching], Any]
) -> None:
    source = Switching()
    client = client_of(broker, credentials=wrap(source))
    client.token()
    source.key = "OTHER"
    until(lambda: client.token().lease_id == "lease-2")
    assert keys_of(broker) == ["FIRST", "OTHER"]


def test_keys_of_the_environment_that_become_others_are_seen(
    broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "FIRST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    client = client_of(broker, credentials=None)
    client.token()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "OTHER")
    until(lambda: client.token().lease_id == "lease-2")
    assert keys_of(broker) == ["FIRST", "OTHER"]


def test_looks_are_a_second_apart(broker: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    # Longer than this test takes.
    monkeypatch.setattr("looker_token_client._credentials._LOOK_PAUSE_SECONDS", 60)
    source = Switching()
    client = client_of(broker, credentials=source)
    for _ in range(20):
        client.token()
        background_is_over()
    assert source.asked == 1


def test_a_look_that_failed_is_not_repeated_at_once(
    broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    def source() -> Credentials:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise RuntimeError("The source is away.")
        return Credentials("FIRST", "s")

    client = client_of(broker, credentials=source)
    with monkeypatch.context() as patched:
        patched.setattr(client._broker.credentials, "_look", lambda: None)
        client.token()
    # Longer than this test takes.
    monkeypatch.setattr("looker_token_client._credentials._LOOK_PAUSE_SECONDS", 60)
    for _ in range(20):
        assert client.token().lease_id == "lease-1"
        background_is_over()
    assert asked == 2


def test_a_command_without_an_expiration_is_not_run_for_each_look(
    broker: FakeBroker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runs, script = tmp_path / "runs", tmp_path / "script"
    script.write_text(
        f'echo run >> {runs}\necho \'{{"Version": 1, "AccessKeyId": "FIRST", "SecretAccessKey": "s"}}\'\n'
    )
    (tmp_path / "config").write_text(f"[profile work]\ncredential_process = sh {script}\n")
    monkeypatch.setenv("AWS_PROFILE", "work")
    client = client_of(broker, credentials=None)
    for _ in range(3):
        client.token()
        background_is_over()
    assert runs.read_text() == "run\n"


def renewing(keys: list[str]) -> RefreshableCredentials:
    """Each reading renews it."""

    def refresh() -> dict[str, str]:
        soon = datetime.now(timezone.utc) + timedelta(seconds=1)
        return {"access_key": keys.pop(0), "secret_key": "s", "token": "t", "expiry_time": soon.isoformat()}

    return RefreshableCredentials.create_from_metadata(refresh(), refresh, "fake")


def test_credentials_that_renew_themselves_stand_for_one_identity(broker: FakeBroker) -> None:
    keys = ["FIRST", "SECOND", "THIRD", "FOURTH"]
    client = client_of(broker, credentials=renewing(keys))
    client.token()
    broker.answer = lambda _: Reply(
        200, {"caller": {"arn": "", "account": "", "unique_id": ""}, "scopes": []}
    )
    client.permissions()
    left = len(keys)
    assert keys_of(broker)[0] != keys_of(broker)[1]
    for _ in range(3):
        assert client.token().lease_id == "lease-1"
        background_is_over()
    assert len(keys) == left


def test_a_source_that_hangs_or_fails_holds_up_no_token(broker: FakeBroker) -> None:
    opened = threading.Event()
    source = Switching()

    def hang() -> Credentials:
        if broker.asked:
            source.asked += 1
            assert opened.wait(10)
            raise RuntimeError("The source is away.")
        return source()

    client = client_of(broker, credentials=hang)
    for _ in range(20):
        assert client.token().lease_id == "lease-1"
    until(lambda: source.asked == 2)
    opened.set()
    background_is_over()
    assert client.token().lease_id == "lease-1"
    assert len(broker.asked) == 1


def test_where_no_thread_can_be_had_the_token_is_served_all_the_same(
    broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Switching()
    client = client_of(broker, credentials=source)
    client.token()
    background_is_over()
    asked = source.asked

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        assert client.token().lease_id == "lease-1"
    assert source.asked == asked


def after_a_renewal(broker: FakeBroker, credentials: object) -> TokenBrokerClient:
    """IAM refuses the renewal of a token."""
    earlier, clock = broker.answer, TestClock()
    broker.answer = lambda asked: _DENIED if len(broker.asked) > 1 else earlier(asked)
    client = client_of(broker, clock, credentials=credentials)
    client.token()
    clock.advance(750)
    assert client.token().lease_id == "lease-1"
    background_is_over()
    assert len(broker.asked) == 2
    return client


def test_a_renewed_key_that_iam_refuses_ends_the_use_of_the_former_ones_token(broker: FakeBroker) -> None:
    client = after_a_renewal(broker, renewing(["FIRST", "SECOND", "THIRD", "FOURTH"]))
    with pytest.raises(TokenBrokerError) as raised:
        client.token()
    assert raised.value.code == "access_denied"


def test_a_refusal_by_iam_of_the_same_key_leaves_the_token_in_use(broker: FakeBroker) -> None:
    assert after_a_renewal(broker, Credentials("FIRST", "s")).token().lease_id == "lease-1"


def test_a_call_after_the_change_is_not_given_the_token_of_a_request_from_before(broker: FakeBroker) -> None:
    credentials = Credentials("FIRST", "s")
    opened = threading.Event()
    earlier = broker.answer

    def answer(asked: Asked) -> Any:
        if key_of(asked) == "FIRST":
            assert opened.wait(10)
        return earlier(asked)

    broker.answer = answer
    client = client_of(broker, credentials=credentials)
    before = in_thread(client.token)
    until(lambda: len(broker.asked) == 1)
    credentials.access_key = "OTHER"
    after = in_thread(client.token)
    opened.set()
    assert (before().lease_id, after().lease_id) == ("lease-2", "lease-2")
    assert keys_of(broker) == ["FIRST", "OTHER"]
