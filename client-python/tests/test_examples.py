"""The examples of docstrings and of the README, run against a fake broker and a fake Looker."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any

import pytest

import looker_token_client
from looker_token_client import HINTS
from looker_token_client import looker as looker_module

from .fake_broker import Asked, FakeBroker, Reply, token_reply

_ROOT = Path(__file__).parents[2]
_README = (_ROOT / "client-python" / "README.md").read_text()
_EXAMPLES = [
    test
    for module in (looker_token_client, looker_module)
    for name in module.__all__
    for test in doctest.DocTestFinder(recurse=True).find(
        getattr(module, name), name, module=False, globs={**vars(looker_token_client), **vars(looker_module)}
    )
    if test.examples
]


@pytest.fixture
def example_broker(monkeypatch: pytest.MonkeyPatch) -> Any:
    def answer(asked: Asked) -> Reply:
        if asked.path.endswith("/token"):
            return token_reply("lease-1", base_url=looker_url[0])
        if asked.path.endswith("/logout"):
            return Reply(200, {"revoked": 1, "pending": 0})
        if asked.path.endswith("/scopes"):
            caller = {"arn": "arn:aws:iam::111122223333:role/report-service", "account": "", "unique_id": ""}
            return Reply(200, {"caller": caller, "scopes": []})
        return Reply(200, {"display_name": "Ada", "workspace_id": "dev"})

    looker_url = ["https://example.cloud.looker.com"]
    with FakeBroker(answer) as broker:
        monkeypatch.setenv("LOOKER_BROKER_ENDPOINT", f"{broker.url}/v1")
        monkeypatch.setenv("AWS_REGION", "eu-west-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        yield looker_url, broker


@pytest.mark.parametrize("example", _EXAMPLES, ids=lambda each: each.name)
def test_the_example_of(example: doctest.DocTest, example_broker: Any) -> None:
    looker_url, broker = example_broker
    if "40" in example.name or "with_token" in example.name:
        looker_url[0] = broker.url
    out: list[str] = []
    failed, _ = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=out.append)
    assert failed == 0, "".join(out)


def test_each_export_has_an_example() -> None:
    names = {each.name.partition(".")[0] for each in _EXAMPLES}
    functions = {"LookerToken", "TokenBrokerClient", "TokenBrokerError", "init40", "sdk40"}
    assert functions <= names


@pytest.mark.parametrize("code", re.findall(r"```python\n(.+?)```", _README, re.DOTALL))
def test_the_readmes_example(code: str, example_broker: Any) -> None:
    looker_url, broker = example_broker
    looker_url[0] = broker.url
    # Each stands for itself in the README, after the lines that the first ones show.
    names: dict[str, Any] = {**vars(looker_token_client), **vars(looker_module)}
    names["client"] = looker_token_client.TokenBrokerClient("sales")
    exec(code, names)
    assert broker.asked


def test_hints_are_those_of_the_client_for_node() -> None:
    """But for the name of the option."""
    source = (_ROOT / "client" / "src" / "errors" / "error-codes.ts").read_text()
    table = source.split("> = {\n", 1)[1].split("\n};", 1)[0]
    rows = dict(re.findall(r'^  (\w+):\s+"(.+)",$', table, re.MULTILINE))
    assert {code: hint.replace("timeoutMs", "timeout_seconds") for code, hint in rows.items()} == HINTS
