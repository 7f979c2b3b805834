"""A web service that asks Looker, by the AWS credentials that its task, pod or instance has anyway."""

import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from looker_token_client.looker import init40

# One for the whole process, and all of its threads. Before: sdk = looker_sdk.init40()
sdk = init40("sales")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            body = json.dumps({"display_name": sdk.me("display_name").display_name}).encode()
        except Exception as failure:  # It holds no token.
            print(failure, file=sys.stderr, flush=True)
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Handler)
# What has begun is answered. In a container the process is the first, which no signal ends by itself.
server.daemon_threads = False
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
print(f"Listening on port {server.server_port}.", flush=True)
server.serve_forever()
server.server_close()
# No logout here: the other instances of this service share the lease. It ends by itself, within minutes.
