"""The token in memory, where threads meet. What can be said as data is in test/support/client-situations.json."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from typing import Any, Literal

import pytest

from looker_token_client import LookerToken, TokenBrokerClient, TokenBrokerError
from looker_token_client._task import Task
from looker_token_client._waiting import SystemClock

from .fake_broker import Asked, FakeBroker, Reply, planted_token, problem, token_reply
from .stand import TestClock, background_is_over, client_of, in_thread, new_leases, together, until


class Gate:
    """A broker's answers wait until the test lets them go."""

    def __init__(self, broker: FakeBroker, on: str = "/token") -> None:
        self._opened = threading.Event()
        earlier = broker.answer

        def answer(asked: Asked) -> Reply | Literal["drop"]:
            if asked.path.endswith(on):
                assert self._opened.wait(10)
            return earlier(asked)

        broker.answer = answer

    def open(self) -> None:
        self._opened.set()


def test_a_thousand_calls_of_fifty_threads_make_one_request(broker: FakeBroker) -> None:
    client = client_of(broker)
    results = together(50, lambda: {client.token().lease_id for _ in range(20)})
    assert results == [{"lease-1"}] * 50
    assert len(broker.asked) == 1


def test_the_answer_is_a_token_with_its_lease_and_its_looker(broker: FakeBroker) -> None:
    clock = TestClock()
    token = client_of(broker, clock).token()
    assert token.access_token == planted_token("lease-1")
    assert (token.lease_id, token.scope) == ("lease-1", "sales")
    assert token.base_url == "https://example.cloud.looker.com"
    assert token.expires_at.timestamp() == pytest.approx(clock.now() + 900)


def test_each_request_is_signed_for_the_region_with_the_session_token(broker: FakeBroker) -> None:
    client_of(broker).token()
    [asked] = broker.asked
    assert (asked.method, asked.path) == ("POST", "/v1/scopes/sales/token")
    signed = asked.headers["authorization"]
    assert signed.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-west-1/execute-api/aws4_request" in signed
    assert asked.headers["x-amz-security-token"] == "session-token-of-the-test"


def test_a_renewal_makes_no_caller_wait(broker: FakeBroker) -> None:
    clock = TestClock()
    client = client_of(broker, clock)
    client.token()
    clock.advance(750)
    gate = Gate(broker)
    assert together(50, lambda: client.token().lease_id) == ["lease-1"] * 50
    until(lambda: len(broker.asked) == 2)
    assert client.token().lease_id == "lease-1"
    gate.open()
    until(lambda: client.token().lease_id == "lease-2")
    assert len(broker.asked) == 2


def test_a_logout_ends_the_waiting_of_calls_under_way(broker: FakeBroker) -> None:
    client = client_of(broker)
    gate = Gate(broker)
    waiting = in_thread(client.token)
    until(lambda: len(broker.asked) == 1)
    client.logout()
    error = waiting()
    assert isinstance(error, TokenBrokerError)
    assert (error.code, error.message) == ("aborted", "logout() ended what this call waited for.")
    gate.open()
    assert not client.has_token


def test_a_call_during_a_logout_waits_and_gets_a_new_lease(broker: FakeBroker) -> None:
    client = client_of(broker)
    client.token()
    gate = Gate(broker, on="/logout")
    logout = in_thread(client.logout)
    until(lambda: len(broker.asked) == 2)
    token = in_thread(client.token)
    gate.open()
    logout()
    assert token().lease_id == "lease-2"
    assert [each.path.rsplit("/", 1)[1] for each in broker.asked] == ["token", "logout", "token"]


def test_a_call_behind_a_logout_waits_no_longer_than_its_own_time_out(broker: FakeBroker) -> None:
    client = client_of(broker, timeout_seconds=0.2)
    with client._cache.logging_out(None):
        error = in_thread(client.token)()
    assert (error.code, error.message) == ("timed_out", "No token came within the budget of 0.2 s.")
    assert not broker.asked


def test_a_call_that_joined_an_impossible_wish_does_not_fail_with_it(broker: FakeBroker) -> None:
    def answer(asked: Asked) -> Reply:
        if "1800" in asked.text:
            assert opened.wait(10)
            return problem(400, "bad_request")
        return token_reply("lease-1")

    opened = threading.Event()
    broker.answer = answer
    client = client_of(broker)
    too_long = in_thread(lambda: client.token(1_800))
    until(lambda: len(broker.asked) == 1)
    usual = in_thread(client.token)
    opened.set()
    assert too_long().code == "bad_request"
    assert usual().lease_id == "lease-1"


def test_a_request_from_before_a_report_neither_delays_nor_undoes_it(
    broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than this test waits for the call.
    monkeypatch.setattr("looker_token_client._token_cache._ONCE_SECONDS", 60)
    clock = TestClock()
    client = client_of(broker, clock)
    dead = client.token()
    clock.advance(750)
    opened = threading.Event()

    def answer(asked: Asked) -> Reply:
        if "stale_lease_id" in asked.text:
            return token_reply("lease-2")
        assert opened.wait(60)
        return token_reply("lease-1", 150)

    broker.answer = answer
    client.token()
    until(lambda: len(broker.asked) == 2)
    used: list[str] = []

    def use(token: LookerToken) -> Reply:
        used.append(token.lease_id)
        return Reply(401 if token.lease_id == dead.lease_id else 200)

    assert in_thread(lambda: client.with_token(use))().status == 200
    assert used == ["lease-1", "lease-2"]
    opened.set()
    background_is_over()
    assert client.token().lease_id == "lease-2"


def test_a_report_is_remembered_when_its_own_call_fails(broker: FakeBroker) -> None:
    clock = TestClock()
    client = client_of(broker, clock)
    dead = client.token()
    clock.advance(750)
    opened = threading.Event()

    def answer(asked: Asked) -> Reply:
        assert opened.wait(10)
        return token_reply("lease-2" if "stale_lease_id" in asked.text else "lease-1")

    broker.answer = answer
    client.token()
    until(lambda: len(broker.asked) == 2)
    with pytest.raises(TokenBrokerError):
        client._cache.replacement_for(dead, client._cache.generation, 0)
    opened.set()
    background_is_over()
    assert client.token().lease_id == "lease-2"


def test_a_logout_between_an_answer_and_its_caller_ends_the_call(
    broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(broker)

    def wait_and_log_out(task: Task[Any], seconds: float) -> Any:
        got = wait(task, seconds)
        with client._cache.logging_out(None):
            return got

    wait = Task.wait
    monkeypatch.setattr(Task, "wait", wait_and_log_out)
    with pytest.raises(TokenBrokerError) as raised:
        client.token()
    assert raised.value.code == "aborted"


@pytest.mark.parametrize(("lease", "ends"), [("lease-1", True), ("lease-of-old", False)])
def test_a_logout_by_lease_ends_a_waiting_call_for_this_very_lease_alone(
    broker: FakeBroker, lease: str, *, ends: bool
) -> None:
    client = client_of(broker)
    gate = Gate(broker)
    waiting = in_thread(client.token)
    until(lambda: len(broker.asked) == 1)
    client.logout(lease)
    gate.open()
    assert isinstance(waiting(), TokenBrokerError) is ends
    assert client.has_token is not ends


def test_a_slow_user_of_a_dead_token_takes_the_successor_without_a_report(broker: FakeBroker) -> None:
    client = client_of(broker)
    slow = threading.Event()

    def use(token: LookerToken, *, wait: bool) -> Reply:
        if wait and token.lease_id == "lease-1":
            assert slow.wait(10)
        return Reply(401 if token.lease_id == "lease-1" else 200)

    client.token()
    late = in_thread(lambda: client.with_token(lambda token: use(token, wait=True)))
    client.with_token(lambda token: use(token, wait=False))
    slow.set()
    assert late().status == 200
    assert len(broker.asked) == 2


def test_a_logout_between_the_refusal_and_its_recovery_ends_the_call(broker: FakeBroker) -> None:
    client = client_of(broker)

    def use(_: LookerToken) -> Reply:
        client.logout()
        return Reply(401)

    with pytest.raises(TokenBrokerError) as raised:
        client.with_token(use)
    assert raised.value.code == "aborted"
    assert not client.has_token


def test_a_broker_that_is_away_is_asked_no_more_often_for_ten_calls_a_moment_apart_than_for_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting: list[float] = []

    def count_and_wait(task: Task[Any], seconds: float) -> Any:
        waiting.append(seconds)
        return wait(task, seconds)

    wait = Task.wait
    monkeypatch.setattr(Task, "wait", count_and_wait)
    requests = []
    for calls in (1, 10):
        waiting.clear()
        with FakeBroker(lambda _: "drop") as broker:
            gate = Gate(broker)
            clock = TestClock()
            client = client_of(broker, clock)
            results = []
            for begun in range(calls):
                results.append(in_thread(client.token))
                until(lambda begun=begun: len(waiting) > begun)  # type: ignore[misc]
                clock.advance(0.001)
            gate.open()
            assert {each().code for each in results} == {"unreachable"}
            requests.append(len(broker.asked))
    assert requests[0] == requests[1]


def test_a_broker_that_sends_a_byte_at_a_time_is_given_up_when_the_time_is_over(broker: FakeBroker) -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            connection, _ = listening.accept()
            with connection:
                while not over.wait(0.02):
                    connection.send(b"H")

        threading.Thread(target=drip, daemon=True).start()
        endpoint = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(TokenBrokerError) as raised:
            client_of(broker, endpoint=endpoint, timeout_seconds=0.3).token()
        over.set()
    assert (raised.value.code, raised.value.retryable) == ("timed_out", True)


@pytest.mark.parametrize("seconds", [0.1, 1.5, 3])
def test_the_error_of_a_time_out_names_its_seconds_as_they_were_given(
    broker: FakeBroker, seconds: float
) -> None:
    error = client_of(broker)._broker._no_answer(seconds)
    assert error.message.endswith(f"gave no answer within {seconds} s.")


def test_a_request_that_hangs_holds_up_no_later_call(broker: FakeBroker) -> None:
    client = client_of(broker, timeout_seconds=0.2)
    gate = Gate(broker)
    with pytest.raises(TokenBrokerError) as raised:
        client.token()
    assert raised.value.code == "timed_out"
    broker.answer = new_leases()
    assert client.token().lease_id == "lease-1"
    gate.open()


def test_an_interrupted_caller_leaves_its_request_to_the_next(broker: FakeBroker) -> None:
    client = client_of(broker)
    gate = Gate(broker)

    def interrupt() -> None:
        until(lambda: len(broker.asked) == 1)
        os.kill(os.getpid(), signal.SIGINT)

    # A shell that starts a program in the background has it ignore the signal.
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        in_thread(interrupt)
        with pytest.raises(KeyboardInterrupt):
            client.token()
    finally:
        signal.signal(signal.SIGINT, former)
    gate.open()
    assert client.token().lease_id == "lease-1"
    assert len(broker.asked) == 1


def test_where_no_thread_can_be_had_the_caller_asks_by_itself(
    broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(broker)

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "looker-token-client":
            raise RuntimeError("can't create new thread at interpreter shutdown")
        start(thread)

    start = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert client.token().lease_id == "lease-1"
    assert client.logout().revoked == 1


def test_waiting_is_told_to_the_log_without_a_secret(
    broker: FakeBroker, caplog: pytest.LogCaptureFixture
) -> None:
    earlier = new_leases()
    broker.answer = lambda asked: problem(503, "busy", 1) if len(broker.asked) == 1 else earlier(asked)
    with caplog.at_level(logging.DEBUG, "looker_token_client"):
        client_of(broker, TestClock()).token()
    own = [each.getMessage() for each in caplog.records if each.name == "looker_token_client"]
    assert own == ["busy: A title. Attempt 2 follows in 1.5 s."]


def test_the_block_of_a_session_ends_with_its_lease(broker: FakeBroker) -> None:
    with client_of(broker, session="nightly") as client:
        client.token()
    assert broker.asked[-1].path.endswith("/logout")
    assert broker.bodies()[-1] == {"session": "nightly"}


def test_the_block_of_a_shared_lease_leaves_it_alone(broker: FakeBroker) -> None:
    with client_of(broker) as client:
        client.token()
    assert len(broker.asked) == 1
    assert client.has_token


def test_permissions_tell_who_the_caller_is_and_what_it_may_do(broker: FakeBroker) -> None:
    grant = {"scope": "sales", "base_url": "https://x.example", "lease_seconds": 900, "may": ["token"]}
    caller = {"arn": "arn:aws:iam::111122223333:role/r", "account": "111122223333", "unique_id": "AROA2"}
    broker.answer = lambda _: Reply(200, {"caller": caller, "scopes": [grant]})
    permissions = client_of(broker).permissions()
    assert permissions.caller.unique_id == "AROA2"
    assert [(each.scope, each.lease_seconds, each.may) for each in permissions.scopes] == [
        ("sales", 900, ("token",))
    ]
    assert (broker.asked[0].method, broker.asked[0].path) == ("GET", "/v1/scopes")


@pytest.mark.parametrize("body", [{}, {"caller": {}, "scopes": []}, {"caller": "x", "scopes": 7}])
def test_an_answer_without_permissions_is_no_brokers(broker: FakeBroker, body: object) -> None:
    broker.answer = lambda _: Reply(200, body)
    with pytest.raises(TokenBrokerError) as raised:
        client_of(broker).permissions()
    assert raised.value.code == "not_a_broker"


def test_the_life_counts_from_when_the_broker_was_asked(broker: FakeBroker) -> None:
    clock = TestClock()

    def answer(_: Asked) -> Reply:
        clock.advance(10)
        return token_reply("slow", 100)

    broker.answer = answer
    token = client_of(broker, clock).token()
    assert token.expires_at.timestamp() == pytest.approx(clock.now() + 90)


def test_the_clock_of_the_machine_is_used_where_a_test_gives_none() -> None:
    client = TokenBrokerClient("sales", endpoint="https://tokens.example.com", region="eu-west-1")
    assert isinstance(client._broker.clock, SystemClock)
