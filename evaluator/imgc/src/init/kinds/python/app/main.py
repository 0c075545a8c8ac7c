"""Answers every request with a greeting."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Greeting(BaseHTTPRequestHandler):
    """One answer for all paths."""

    def do_GET(self):
        body = b"Hello from imgc.\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    try:
        ThreadingHTTPServer(("", 8000), Greeting).serve_forever()
    except KeyboardInterrupt:
        pass
