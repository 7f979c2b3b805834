"""A job with Looker's SDK for Python: it chooses its workspace, calls, waits for the file `go`, and calls again."""
import pathlib
import sys
import time

import looker_sdk
from looker_sdk import models40

sdk = looker_sdk.init40()


def call():
    print(sdk.me("id").id, sdk.session().workspace_id, flush=True)


if sys.argv[1] != "production":
    sdk.update_session(models40.WriteApiSession(workspace_id=sys.argv[1]))
call()
while not pathlib.Path("go").exists():
    time.sleep(0.05)
call()
query = models40.WriteQuery(model="sales", view="orders", fields=["orders.count"])
print(sdk.run_inline_query("json", query))
sdk.auth.logout()
