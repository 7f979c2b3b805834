"""A web service with Looker's SDK. It runs under `looker-token exec --proxy --shared`, or beside a sidecar."""

import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import looker_sdk

sdk = looker_sdk.init40()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            body = f"{sdk.me('display_name').display_name}\n".encode()
        except Exception as failure:  # It holds no token.
            print(failure, file=sys.stderr, flush=True)
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Handler)
# Requests under way are answered before the end.
server.daemon_threads = False
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
print(f"Listening on port {server.server_port}.", flush=True)
server.serve_forever()
server.server_close()
