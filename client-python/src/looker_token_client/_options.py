"""Options that have the wrong type or size: each is told by its name when the client is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ._errors import TokenBrokerError

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from ._errors import ErrorCode

_MAX_TIMEOUT_SECONDS: Final = 86_400
"""Systems bound a wait, some at 49 days, and fail in the middle of a call above that."""


def is_number(value: object) -> TypeIs[int | float]:
    """True and False are numbers to Python, and a slip in an option or an answer."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def check_timeout(seconds: float) -> float:
    """The number, if it is one that a call can wait for. A number in a text of the environment is none."""
    if not (is_number(seconds) and 0 < seconds <= _MAX_TIMEOUT_SECONDS):
        raise TokenBrokerError(
            "bad_request",
            f"timeout_seconds must be a number of seconds above 0 and up to {_MAX_TIMEOUT_SECONDS}, "
            f"and not {shown(seconds)}.",
        )
    return seconds


def check_text(name: str, value: str | None, code: ErrorCode) -> str | None:
    """The text, if there is one. An empty one is what an unset variable of the environment leaves."""
    if value is not None and not isinstance(value, str):
        raise TokenBrokerError(code, f"`{name}` must be a text, and not {shown(value)}.")
    if value == "":
        raise TokenBrokerError(code, f"`{name}` is empty: give a value or leave it out.")
    return value


def shown(value: Any) -> str:  # noqa: ANN401
    """A number as it is. Of anything else the type alone: it may be a secret in the wrong place."""
    # Python refuses to print an integer of many thousand digits.
    if isinstance(value, float) or (isinstance(value, int) and abs(value) < 1e18):
        return repr(value)
    return f"a value of type {type(value).__name__}"
