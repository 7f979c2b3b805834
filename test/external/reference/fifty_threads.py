"""A service of fifty threads that ask Looker without a pause.

It prints the calls of the slowest thread as they go on, and in the end the failures of all.
"""

import signal
import threading

from looker_token_client.looker import init40

sdk = init40("sales")
# The stand-in Looker shares a busy loop with the test: it may close a kept connection under a request.
sdk.transport.session.headers["Connection"] = "close"
ending = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: ending.set())
calls, failures = [0] * 50, []


def work(index):
    while not ending.is_set():
        try:
            sdk.me("id")
        except Exception as failure:
            failures.append(str(failure))
        calls[index] += 1


threads = [threading.Thread(target=work, args=(index,)) for index in range(50)]
for thread in threads:
    thread.start()
try:
    while not ending.wait(0.1):
        print(min(calls), flush=True)
except BrokenPipeError:
    # The test is gone.
    ending.set()
for thread in threads:
    thread.join()
print(f"Failures: {failures}")
