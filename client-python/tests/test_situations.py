"""The list of situations and outcomes that the clients for Node and Python share. The list explains its fields."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from looker_token_client import LookerToken, TokenBrokerClient, TokenBrokerError

from .fake_broker import Asked, FakeBroker, Reply, token_reply
from .stand import TestClock, answers_when_all_wait, background_is_over, client_of, together, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

_LIST = Path(__file__).parents[2] / "test" / "support" / "client-situations.json"
_SITUATIONS: list[dict[str, Any]] = json.loads(_LIST.read_text())["situations"]


@pytest.mark.parametrize("situation", _SITUATIONS, ids=[each["name"] for each in _SITUATIONS])
def test_a_situation_that_both_clients_share(situation: dict[str, Any]) -> None:
    rest = dict(situation)
    assert rest.pop("name")
    clock = TestClock(chance=rest.pop("chance", 0.5))
    with _broker(rest.pop("answers"), clock) as broker:
        client = client_of(broker, clock, session=rest.pop("session", None))
        for step in rest.pop("steps"):
            _play(dict(step), broker, clock, client)
        background_is_over()
        if "requests" in rest:
            assert len(broker.asked) == rest.pop("requests")
        if "asked" in rest:
            assert broker.bodies() == rest.pop("asked")
        if "slept_seconds" in rest:
            assert clock.slept == pytest.approx(rest.pop("slept_seconds"))
    assert rest == {}


def _broker(answers: list[Any], clock: TestClock) -> FakeBroker:
    def answer(_: Asked) -> Reply | Literal["drop"]:
        scripted = answers[min(len(fake.asked), len(answers)) - 1]
        if scripted == "drop":
            return "drop"
        rest = dict(scripted)
        clock.advance(rest.pop("clock_moves_seconds", 0))
        clock.wall += rest.pop("wall_clock_moves_seconds", 0)
        if "lease" in rest:
            return token_reply(rest.pop("lease"), **rest)
        return Reply(**rest)

    fake = FakeBroker(answer)
    return fake


def _play(step: dict[str, Any], broker: FakeBroker, clock: TestClock, client: TokenBrokerClient) -> None:
    if "advance_seconds" in step:
        clock.advance(step.pop("advance_seconds"))
    elif "advance_wall_clock_seconds" in step:
        clock.wall += step.pop("advance_wall_clock_seconds")
    elif "background_requests" in step:
        wanted = step.pop("background_requests")
        until(lambda: len(broker.asked) == wanted)
        background_is_over()
    else:
        calls: dict[str, Callable[..., dict[str, object]]] = {
            "token": _token,
            "with_token": _with_token,
            "logout": _logout,
        }
        call = calls[step.pop("call")]
        outcome: dict[str, Any] = {
            name: step.pop(name) for name in ("lease", "gives", "fails", "refused_in_the_end") if name in step
        }
        times = step.pop("together", 1)
        options = dict(step)
        step.clear()
        with answers_when_all_wait(broker, times):
            outcomes = together(times, lambda: call(client, **options))
        for each in outcomes:
            _compare(each, outcome)
    assert step == {}


def _token(client: TokenBrokerClient, **options: Any) -> dict[str, object]:
    try:
        return {"lease": client.token(**options).lease_id}
    except TokenBrokerError as error:
        return {"fails": error}


def _with_token(client: TokenBrokerClient, refused: list[str]) -> dict[str, object]:
    def use(token: LookerToken) -> SimpleNamespace:
        status = 401 if token.lease_id in refused else 200
        return SimpleNamespace(status_code=status, headers={}, lease=token.lease_id)

    try:
        answer = client.with_token(use)
    except TokenBrokerError as error:
        return {"fails": error}
    return {"refused_in_the_end": True} if answer.status_code == 401 else {"lease": answer.lease}


def _logout(client: TokenBrokerClient, **options: Any) -> dict[str, object]:
    try:
        result = client.logout(**options)
    except TokenBrokerError as error:
        return {"fails": error}
    return {"gives": {"revoked": result.revoked, "pending": result.pending}}


def _compare(got: object, wanted: dict[str, Any]) -> None:
    assert isinstance(got, dict), got
    assert set(got) == set(wanted), got
    if "fails" not in wanted:
        assert got == wanted
        return
    fields = dict(wanted["fails"])
    message = fields.pop("message")
    error = got["fails"]
    assert {name: getattr(error, name) for name in fields} == fields
    assert re.match(message, error.message), error.message
    assert error.hint
    assert str(error) == f"{error.message} {error.hint}"
