"""Looker's own SDK on a fake Looker, which is the fake broker's second half."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal

import pytest
from looker_sdk import error as looker_error

from looker_token_client import LogoutResult, LookerToken, TokenBrokerError
from looker_token_client.looker import init40, sdk40

from .fake_broker import Asked, FakeBroker, Reply, planted_token, problem, token_reply
from .stand import TestClock, client_of, together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from looker_sdk.sdk.api40 import methods


class FakeLooker(FakeBroker):
    """Takes the tokens of all leases but the dead ones. As a broker it gives them."""

    def __init__(self) -> None:
        super().__init__(self._serve)
        self.leases = 0
        self.dead: set[str] = set()

    def _serve(self, asked: Asked) -> Reply | Literal["drop"]:
        if asked.path.endswith("/logout"):
            return Reply(200, {"revoked": 1, "pending": 0})
        if asked.path.startswith("/v1/"):
            body = json.loads(asked.text)
            # As the broker does: a report counts for the current lease only.
            if self.leases == 0 or body.get("stale_lease_id") == f"lease-{self.leases}":
                self.leases += 1
            return token_reply(f"lease-{self.leases}", base_url=self.url)
        alive = {f"Bearer {planted_token(f'lease-{each}')}" for each in range(1, self.leases + 1)}
        dead = {f"Bearer {planted_token(each)}" for each in self.dead}
        if asked.headers.get("authorization") in alive - dead:
            return self.answer_user(asked)
        return Reply(401, {"message": "Requires authentication."})

    def answer_user(self, _: Asked) -> Reply:
        return Reply(200, {"id": "7", "display_name": "Ada"})

    def calls(self) -> list[Asked]:
        """To Looker."""
        return [each for each in self.asked if each.path.startswith("/api/")]


@pytest.fixture
def looker(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLooker]:
    with FakeLooker() as fake:
        monkeypatch.setenv("LOOKER_BROKER_ENDPOINT", f"{fake.url}/v1")
        monkeypatch.setenv("AWS_REGION", "eu-west-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        yield fake


def name_of(sdk: methods.Looker40SDK) -> str | None:
    return sdk.me("display_name").display_name


def test_nothing_is_asked_before_the_first_call(looker: FakeLooker) -> None:
    sdk = init40("sales")
    assert looker.asked == []
    assert name_of(sdk) == "Ada"
    assert [each.path for each in looker.asked] == [
        "/v1/scopes/sales/token",
        "/api/4.0/user?fields=display_name",
    ]


def test_fifty_threads_and_a_dead_token_make_two_requests_and_no_failure(looker: FakeLooker) -> None:
    sdk = init40("sales")
    assert together(50, lambda: name_of(sdk)) == ["Ada"] * 50
    looker.dead.add("lease-1")
    assert together(50, lambda: name_of(sdk)) == ["Ada"] * 50
    assert len(looker.asked) - len(looker.calls()) == 2


def test_a_token_that_is_dead_twice_is_looker_s_error(looker: FakeLooker) -> None:
    looker.dead |= {"lease-1", "lease-2"}
    with pytest.raises(looker_error.SDKError) as raised:
        name_of(init40("sales"))
    assert raised.value.message == "Requires authentication."


def test_what_the_broker_refuses_is_raised_as_it_is(looker: FakeLooker) -> None:
    looker.answer = lambda _: problem(403, "scope_frozen")
    with pytest.raises(TokenBrokerError) as raised:
        name_of(init40("sales"))
    assert raised.value.code == "scope_frozen"


@pytest.mark.parametrize("logout", [lambda sdk: sdk.logout(), lambda sdk: sdk.auth.logout()])
def test_a_logout_is_the_brokers(looker: FakeLooker, logout: Callable[[methods.Looker40SDK], object]) -> None:
    sdk = init40("sales")
    name_of(sdk)
    logout(sdk)
    assert looker.asked[-1].path == "/v1/scopes/sales/logout"
    assert not sdk.auth.is_authenticated


@pytest.mark.parametrize(("session", "ends"), [("nightly", True), (None, False)])
def test_the_end_of_a_block_ends_a_sessions_token_alone(
    looker: FakeLooker, session: str | None, *, ends: bool
) -> None:
    with init40("sales", session) as sdk:
        assert sdk.me().display_name == "Ada"
    assert looker.asked[-1].path.endswith("/logout") is ends


def test_nobody_runs_as_another_user(looker: FakeLooker) -> None:
    with pytest.raises(TokenBrokerError) as raised:
        init40("sales").auth.login_user(42)
    assert raised.value.code == "sudo_unsupported"
    assert looker.asked == []


def test_the_token_may_be_read_from_the_session_as_before(looker: FakeLooker) -> None:
    auth = init40("sales").auth
    assert not auth.is_authenticated
    assert auth.authenticate({}) == {"Authorization": f"Bearer {planted_token('lease-1')}"}
    assert auth.token.access_token == planted_token("lease-1")
    assert auth.token.is_active
    assert auth.is_authenticated


def test_a_scope_that_moves_takes_its_calls_along_and_sends_no_token_to_the_old_looker(
    looker: FakeLooker,
) -> None:
    with FakeLooker() as old:
        old.leases = 1
        clock = TestClock()
        with FakeBroker(lambda _: token_reply("lease-1", 300, base_url=old.url)) as broker:
            sdk = sdk40(client_of(broker, clock))
            assert name_of(sdk) == "Ada"
            looker.leases = 2
            broker.answer = lambda _: token_reply("lease-2", base_url=looker.url)
            clock.advance(301)
            assert name_of(sdk) == "Ada"
        assert len(old.calls()) == len(looker.calls()) == 1


def test_a_token_is_sent_to_no_other_address(looker: FakeLooker) -> None:
    sdk = init40("sales")
    name_of(sdk)
    with FakeLooker() as other, pytest.raises(TokenBrokerError) as raised:
        sdk.transport.request(_get(), f"{other.url}/api/4.0/user", authenticator=sdk.auth.authenticate)
    assert raised.value.code == "bad_request"
    assert "is not sent to another address" in raised.value.message
    assert other.asked == []


def test_a_redirect_of_looker_is_not_followed_with_the_token(looker: FakeLooker) -> None:
    with FakeLooker() as other:
        looker.answer_user = lambda _: Reply(307, "", {"location": f"{other.url}/api/4.0/user"})  # type: ignore[method-assign]
        with pytest.raises(looker_error.SDKError, match="redirects"):
            name_of(init40("sales"))
    assert other.asked == []


def test_a_401_to_a_call_without_a_token_is_passed_on(looker: FakeLooker) -> None:
    response = init40("sales").transport.request(_get(), f"{looker.url}/api/4.0/user")
    assert not response.ok
    assert "Requires authentication" in response.value.decode()
    assert len(looker.asked) == 1


def test_a_looker_ini_and_lookers_variables_are_not_read(
    looker: FakeLooker, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "looker.ini").write_text("[Looker]\nbase_url=https://old.example\nverify_ssl=false\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOOKERSDK_BASE_URL", "https://old.example")
    sdk = init40("sales")
    assert name_of(sdk) == "Ada"
    assert sdk.auth.settings.verify_ssl


@pytest.mark.skipif(not hasattr(os, "fork"), reason="This system does not fork.")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_of_a_fork_has_connections_of_its_own(looker: FakeLooker) -> None:
    sdk = init40("sales")
    name_of(sdk)
    before = dict(sdk.transport.session.adapters)  # type: ignore[attr-defined]
    child = os.fork()
    if child == 0:
        session = sdk.transport.session  # type: ignore[attr-defined]
        is_good = name_of(sdk) == "Ada" and not set(before.values()) & set(session.adapters.values())
        os._exit(0 if is_good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_services_own_test_needs_no_broker(looker: FakeLooker) -> None:
    class Source:
        session = None
        has_token = True

        def token(self) -> LookerToken:
            until = datetime.now(timezone.utc) + timedelta(minutes=15)
            return LookerToken(planted_token("lease-1"), "lease-1", "sales", looker.url, until)

        def with_token(self, use: Callable[[LookerToken], Any]) -> Any:
            return use(self.token())

        def logout(self) -> LogoutResult:
            return LogoutResult(0, 0)

    looker.leases = 1
    assert name_of(sdk40(Source())) == "Ada"
    assert looker.calls() == looker.asked


def _get() -> Any:
    from looker_sdk.rtl import transport

    return transport.HttpMethod.GET
