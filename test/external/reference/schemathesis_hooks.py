"""Signs each request of schemathesis as botocore does, and makes of what it generates what the local broker can serve.

https://schemathesis.readthedocs.io/en/stable/guides/extending/
"""

import json
import os
import unicodedata

import requests.auth
import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SIGNING = json.loads(os.environ["SCHEMATHESIS_SIGNING"])
KEYS = Credentials(SIGNING["access_key_id"], SIGNING["secret_access_key"], SIGNING["session_token"])


class Signed(requests.auth.AuthBase):
    def __call__(self, request):
        given = {name: value for name, value in request.headers.items() if name == "Content-Type"}
        signed = AWSRequest(method=request.method, url=request.url, data=request.body or b"", headers=given)
        SigV4Auth(KEYS, "execute-api", SIGNING["region"]).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        return request


schemathesis.auth.set_from_requests(Signed())


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Three of four requests are about the scope that there is: hardly one would come past the locks otherwise."""
    if path_parameters and len(str(path_parameters.get("scope", ""))) % 4 != 3:
        path_parameters["scope"] = "sales"
    return path_parameters


@schemathesis.hook
def before_call(context, case, kwargs):
    """What is valid by the document and not in this scope, or not by what `\\P{C}` means: Python has no such class."""
    if not isinstance(case.body, dict):
        return
    seconds, reason = case.body.get("min_ttl_seconds"), case.body.get("reason")
    # 1548.0 is an integer too, as JSON Schema has it.
    if type(seconds) in (int, float) and 450 < seconds <= 1800 and seconds == int(seconds):
        case.body["min_ttl_seconds"] = seconds // 4
    if isinstance(reason, str):
        case.body["reason"] = "".join("x" if is_odd(character) else character for character in reason)


def is_odd(character):
    return character >= "\xa0" and unicodedata.category(character).startswith("C")
