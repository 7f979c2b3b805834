"""Where the broker is, and the names that go into its paths. Nothing here reaches for the network."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from ._errors import TokenBrokerError
from ._options import check_text

_SCOPE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_SESSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_REGION: Final = re.compile(r"[a-z0-9-]{1,63}")
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")

# `a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com`, also of a private API with its VPC endpoint's id behind the API's:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-api-test-invoke-url.html
# Partitions have suffixes of their own, and names for IPv6 others again: https://docs.aws.amazon.com/general/latest/gr/rande.html
_EXECUTE_API_HOST: Final = re.compile(
    r"[^.]+\.execute-api\.([a-z0-9-]+)\."
    r"(?:amazonaws\.(?:com|com\.cn|eu)|api\.aws|api\.amazonwebservices\.(?:com\.cn|eu))"
)
_VPC_ENDPOINT_HOST: Final = re.compile(r".*\.execute-api\.[a-z0-9-]+\.vpce\.amazonaws\.com(?:\.cn)?")
_LOOPBACK: Final = re.compile(r"localhost|::1|127(?:\.\d{1,3}){3}")


def check_scope(scope: str) -> str:
    """The name, if it has the form of a scope's. Anything else could reach into the path of another route."""
    if not isinstance(scope, str) or not _SCOPE.fullmatch(scope):
        raise TokenBrokerError(
            "bad_request", "A scope's name is 1 to 63 of a-z, 0-9 and -, not beginning with -."
        )
    return scope


def check_session(session: str | None) -> str | None:
    """The name, if there is none or it has the form of a session's.

    Not so "", of a variable that is not set: without a name the client would share, and end, the role's token.
    """
    if session is not None and not (isinstance(session, str) and _SESSION.fullmatch(session)):
        raise TokenBrokerError(
            "bad_request",
            "A session's name is 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-', and begins with a letter or a digit.",
        )
    return session


def is_header_value(text: str) -> bool:
    """Whether the text can be sent as it is: no blank, no line break, nothing beyond ASCII."""
    return _PRINTABLE.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The broker's API."""

    url: str
    """With the stage and no trailing slash."""
    host: str
    """With the port, if the URL has one."""
    region: str


def endpoint_of(endpoint: str | None, region: str | None) -> Endpoint:
    """From the options of a client, else from the environment."""
    given, name = check_text("endpoint", endpoint, "no_endpoint"), "`endpoint`"
    check_text("region", region, "no_region")
    if given is None:
        given, name = os.environ.get("LOOKER_BROKER_ENDPOINT"), "LOOKER_BROKER_ENDPOINT"
    if not given:
        raise TokenBrokerError("no_endpoint", "It is not known where the token broker is.")
    url = _url(given, name)
    host = url.hostname or ""
    # The root's dot: neither certificates nor the signature that API Gateway expects have it.
    host = host[:-1] if host.endswith(".") else host
    netloc = f"[{host}]" if ":" in host else host
    if url.port is not None:
        netloc = f"{netloc}:{url.port}"
    if _VPC_ENDPOINT_HOST.fullmatch(host):
        raise TokenBrokerError(
            "no_endpoint",
            f"{netloc} is a VPC endpoint, which does not say which API is meant.",
            hint=(
                "Pass the API's own name, which works inside the VPC: "
                "https://API-ID-VPCE-ID.execute-api.REGION.amazonaws.com/STAGE, or a private domain name."
            ),
        )
    return Endpoint(f"{url.scheme}://{netloc}{url.path.rstrip('/')}", netloc, _region(region, host, netloc))


def _url(text: str, name: str) -> SplitResult:
    # `urlsplit` would take out line breaks and tabs in silence.
    if not is_header_value(text):
        raise TokenBrokerError(
            "no_endpoint",
            f"The token broker's endpoint ({name}) has a blank, a line break or another character that a URL cannot have.",
        )
    try:
        url = urlsplit(text)
        is_plain = (
            url.scheme in ("http", "https")
            and url.hostname
            and not (url.query or url.fragment or "@" in url.netloc)
            and url.port != 0
        )
    except ValueError:
        is_plain = False
    if not is_plain:
        raise TokenBrokerError("no_endpoint", "The token broker's endpoint is not a plain http(s) URL.")
    if url.scheme == "http" and not _LOOPBACK.fullmatch(url.hostname or ""):
        raise TokenBrokerError(
            "no_endpoint", "The token broker's endpoint must be https: tokens travel in the answer."
        )
    return url


def _region(given: str | None, host: str, netloc: str) -> str:
    """The region for which requests are signed: it stands in a header."""
    found = _EXECUTE_API_HOST.fullmatch(host)
    sources = (
        ("`region`", given),
        ("the endpoint", found[1] if found else None),
        ("AWS_REGION", os.environ.get("AWS_REGION")),
        ("AWS_DEFAULT_REGION", os.environ.get("AWS_DEFAULT_REGION")),
    )
    for name, region in sources:
        if not region:
            continue
        if not _REGION.fullmatch(region):
            raise TokenBrokerError(
                "no_region",
                f"{name} is not the name of a region: it has a blank, a line break or another character "
                "that is not one of a-z, 0-9 and -.",
            )
        return region
    raise TokenBrokerError(
        "no_region",
        f"The region of the API at {netloc} is not known: only API Gateway's own host names tell it.",
    )
