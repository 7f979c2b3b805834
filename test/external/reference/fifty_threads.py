"""A service of fifty threads that ask Looker without a pause. It prints its calls so far, and in the end its failures."""

import signal
import threading

from looker_token_client.looker import init40

sdk = init40("sales")
ending = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: ending.set())
calls, failures = [], []


def work():
    while not ending.is_set():
        try:
            calls.append(sdk.me("id").id)
        except Exception as failure:
            failures.append(failure)


threads = [threading.Thread(target=work) for _ in range(50)]
for thread in threads:
    thread.start()
try:
    while not ending.wait(0.1):
        print(len(calls), flush=True)
except BrokenPipeError:
    # The test is gone.
    ending.set()
for thread in threads:
    thread.join()
print(f"{len(set(calls))} user, {failures}")
