"""No token and no key shows where a service writes: logs, errors, tracebacks with variables, pickles."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import json
import logging
import pickle
import pprint
import sys
import traceback
from typing import TYPE_CHECKING, Any, Literal

import pytest
from botocore.credentials import Credentials

from looker_token_client import LookerToken, TokenBrokerError

from .fake_broker import FakeBroker, Reply, planted_token, problem, token_reply
from .stand import SECRET_KEY, SESSION_TOKEN, TestClock, client_of

if TYPE_CHECKING:
    from collections.abc import Callable

_SECRETS = (planted_token("lease-1"), SECRET_KEY, SESSION_TOKEN)


def is_redacted(text: str) -> bool:
    return not any(secret in text for secret in _SECRETS)


def everything_of(error: BaseException) -> str:
    """As reporters of errors have it: the traceback with the variables of each frame, and each error that hangs on."""
    texts = []
    pending: list[BaseException | None] = [error]
    while pending:
        each = pending.pop()
        if each is None:
            continue
        shown = traceback.TracebackException.from_exception(each, capture_locals=True)
        texts += [*shown.format(), repr(each), repr(vars(each)), repr(each.args)]
        pending += [each.__cause__, each.__context__]
    return "".join(texts)


def test_a_token_does_not_show_itself(broker: FakeBroker, caplog: pytest.LogCaptureFixture) -> None:
    client = client_of(broker)
    token = client.token()
    with caplog.at_level(logging.INFO):
        logging.getLogger().info("%s %r %s", token, token, [client, {"token": token}])
    assert is_redacted(caplog.text)
    assert "lease-1" in repr(token)
    with pytest.raises(AttributeError, match="does not change"):
        token.lease_id = "other"
    with pytest.raises(AttributeError, match="does not change"):
        del token.scope


def slots_of(token: LookerToken) -> dict[str, object]:
    return {name: getattr(token, name) for name in LookerToken.__slots__}


_DUMPS: list[Callable[[Any], object]] = [
    str,
    repr,
    "{0} {0!r}".format,
    pprint.pformat,
    json.dumps,
    lambda token: json.dumps(token, default=vars),
    lambda token: json.dumps(token, default=str),
    dataclasses.asdict,
    dataclasses.astuple,
    vars,
    slots_of,
    pickle.dumps,
    copy.copy,
    copy.deepcopy,
    lambda token: copy.deepcopy({"token": token}),
    lambda token: token.__reduce__(),
    lambda token: token.__getstate__(),
    tuple,
    inspect.getmembers_static,
]


@pytest.mark.parametrize("dump", _DUMPS[:-1] if sys.version_info < (3, 11) else _DUMPS)
def test_a_dump_of_a_token_shows_no_secret(broker: FakeBroker, dump: Callable[[Any], object]) -> None:
    token = client_of(broker).token()
    try:
        shown = repr(dump(token))
    except (TypeError, AttributeError) as error:
        shown = everything_of(error)
    assert is_redacted(shown)


def test_a_failed_comparison_of_tokens_shows_no_secret(broker: FakeBroker) -> None:
    """pytest shows the fields of dataclasses that differ."""
    token = client_of(broker).token()
    other = LookerToken("other-secret", token.lease_id, token.scope, token.base_url, token.expires_at)
    with pytest.raises(AssertionError) as raised:
        assert token == other
    assert is_redacted(everything_of(raised.value))
    assert "other-secret" not in str(raised.value)


def signature_error() -> Reply:
    """As API Gateway does it: the message repeats all that was signed."""
    message = (
        "The request signature we calculated does not match the signature you provided.\n\n"
        f"The Canonical String for this request should have been\n'POST\n\nx-amz-security-token:{SESSION_TOKEN}'"
    )
    return Reply(403, {"message": message}, {"x-amzn-errortype": "InvalidSignatureException"})


@pytest.mark.parametrize(
    "answer",
    [
        signature_error(),
        Reply(403, signature_error().body),
        "drop",
        problem(503, "busy", 300),
        problem(403, "scope_frozen"),
        Reply(200, f"<html>{planted_token('lease-1')}"),
        token_reply("lease-1", 90_000),
        token_reply("lease-1", 900, "no url"),
        token_reply("lease-1", 10),
        Reply(302, "", {"location": f"https://x.example/{planted_token('lease-1')}"}),
        Reply(500, {"message": SESSION_TOKEN}),
    ],
    ids=str,
)
def test_an_error_shows_no_secret_to_a_reporter_of_variables(answer: Reply | Literal["drop"]) -> None:
    with FakeBroker(lambda _: answer) as broker:
        client = client_of(broker, TestClock())
        calls: list[Callable[[], object]] = [client.token, client.logout, client.permissions]
        for call in calls:
            assert is_redacted(everything_of(failure(call)))


def failure(call: Callable[[], object]) -> TokenBrokerError:
    """Caught in a frame of its own: the variables of the test are full of secrets."""
    try:
        call()
    except TokenBrokerError as error:
        return error
    pytest.fail("It was to fail.")


def test_an_error_about_keys_shows_no_key(broker: FakeBroker) -> None:
    client = client_of(broker, credentials=Credentials("AKID", f"{SECRET_KEY}\n", f"{SESSION_TOKEN}\n"))
    assert is_redacted(everything_of(failure(client.token)))


def test_an_error_of_the_call_to_looker_shows_no_token_of_ours(broker: FakeBroker) -> None:
    def use(_: LookerToken) -> None:
        raise ValueError("Looker is down.")

    with pytest.raises(ValueError, match="Looker is down") as raised:
        client_of(broker).with_token(use)
    assert is_redacted(everything_of(raised.value))


def test_nothing_is_logged_with_a_secret_at_any_level(
    broker: FakeBroker, caplog: pytest.LogCaptureFixture
) -> None:
    replies: list[Any] = [problem(503, "busy", 1), "drop", token_reply("lease-1")]
    broker.answer = lambda _: replies.pop(0)
    with caplog.at_level(logging.DEBUG, "looker_token_client"):
        client_of(broker, TestClock()).token()
    own = [each.getMessage() for each in caplog.records if each.name.startswith("looker_token_client")]
    assert len(own) == 2
    assert is_redacted("".join(own))


def test_an_error_comes_through_a_pickle_as_it_is() -> None:
    error = TokenBrokerError(
        "busy", "A login is under way.", hint="Wait.", status=503, request_id="r", retry_after_seconds=2.0
    )
    back = pickle.loads(pickle.dumps(error))
    assert isinstance(back, TokenBrokerError)
    assert (vars(back), str(back)) == (vars(error), str(error))


@pytest.mark.parametrize("title", ["\x1b[31mred", "a\r\nb", "\u202eright to left", "bell\x07"])
def test_control_characters_of_an_answer_reach_no_terminal(broker: FakeBroker, title: str) -> None:
    broker.answer = lambda _: Reply(400, {"code": "bad_request", "title": title})
    with pytest.raises(TokenBrokerError) as raised:
        client_of(broker).token()
    assert str(raised.value).isprintable()
