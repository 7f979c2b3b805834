"""AWS's own client and signatures, for tests in another language: one call a line, as JSON, and one answer a line.

{"service", "operation", "parameters"} calls a service. {"method", "url", "body"} is a signed request to an API.
Both take "region" and "credentials", and a call of a service takes "endpoint".
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from botocore import xform_name
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session
from botocore.session import Session

session = Session()
http = URLLib3Session(timeout=35)
config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})


def keys(call: dict[str, Any]) -> tuple[str, str, str | None]:
    """The access key, the secret and the session token, in botocore's order."""
    given = call["credentials"]
    return given["accessKeyId"], given["secretAccessKey"], given.get("sessionToken")


def call_service(call: dict[str, Any]) -> dict[str, Any]:
    """One call, without retries. A refusal of AWS is an answer."""
    key, secret, token = keys(call)
    client = session.create_client(
        call["service"],
        region_name=call["region"],
        endpoint_url=call["endpoint"],
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=config,
    )
    try:
        result = getattr(client, xform_name(call["operation"]))(**call["parameters"])
    except ClientError as error:
        return {"error": error.response["Error"]}
    finally:
        client.close()
    result.pop("ResponseMetadata")
    return {"result": result}


def send_signed(call: dict[str, Any]) -> dict[str, Any]:
    """One request, as botocore prepares it."""
    body = call.get("body")
    headers = {} if body is None else {"content-type": "application/json"}
    request = AWSRequest(call["method"], call["url"], data=body, headers=headers)
    SigV4Auth(Credentials(*keys(call)), "execute-api", call["region"]).add_auth(request)
    response = http.send(request.prepare())
    return {"status": response.status_code, "headers": dict(response.headers), "text": response.text}


def answers() -> Iterator[dict[str, Any]]:
    """An answer for each line."""
    for line in sys.stdin:
        call = json.loads(line)
        yield call_service(call) if "service" in call else send_signed(call)


for answer in answers():
    # Times and bytes are of no interest to the tests, but they must not end the program.
    print(json.dumps(answer, default=str), flush=True)
