"""Answers every GET on port 8000 with a greeting, as JSON, until SIGTERM."""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from greeting import greet


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        answer = {
            "greeting": greet(self.path.strip("/") or "world"),
            "python": ".".join(map(str, sys.version_info[:2])),
            "uid": os.getuid(),
            "folder": os.getcwd(),
        }
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def stop(*_):
    sys.exit(0)


# Process 1 has no default action for a signal: it needs a handler.
signal.signal(signal.SIGTERM, stop)
print("listening on port 8000")
ThreadingHTTPServer(("", 8000), Handler).serve_forever()
