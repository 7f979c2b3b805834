"""For all tests: nothing of this machine's AWS, and threads that end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from .fake_broker import FakeBroker
from .stand import background_is_over, new_leases

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials, files, proxies or metadata services in reach."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "LOOKER")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def broker() -> Iterator[FakeBroker]:
    """It gives a new lease at each request."""
    with FakeBroker(new_leases()) as fake:
        yield fake
        background_is_over()
