"""S3 on this machine: the server of moto, which knows conditional writes. It tells its port, and ends with its parent.

It does one request after the other, so a write with a condition is one step, as it is for S3. What a request of
/-/faults asks for, it does wrong: `away` answers 503, `denied` 403, and `lost` does what it is asked and answers 500.
"""

import json
import logging
import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

ANSWERS = {"away": "503 Slow Down", "denied": "403 Forbidden", "lost": "500 Internal Server Error"}
DENIED = (
    b"<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIAOFTHETEST</AWSAccessKeyId>"
    b"<StringToSign>AKIAOFTHETEST secret-of-the-test</StringToSign></Error>"
)


class Faulty:
    """The server, with a fault between two counts of the requests that have certain methods."""

    def __init__(self, served):
        self._served, self._fault, self._seen = served, {}, 0

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] == "/-/faults":
            seen, self._seen = self._seen, 0
            self._fault = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
            start_response("200 OK", [])
            return [json.dumps({"seen": seen}).encode()]
        kind, place = self._fault.get("kind"), self._seen
        if environ["REQUEST_METHOD"] in self._fault.get("methods", ()):
            self._seen += 1
            if kind and self._fault["first"] <= place < self._fault["end"]:
                if kind == "lost":
                    list(self._served(environ, lambda *given: lambda data: None))
                else:  # what is not read, Werkzeug reads after its answer, and waits for the client to close
                    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                start_response(ANSWERS[kind], [("Content-Type", "application/xml")])
                return [DENIED if kind == "denied" else b""]
        return self._served(environ, start_response)


def main():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, Faulty(DomainDispatcherApplication(create_backend_app)), threaded=False)
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()  # until the parent ends


if __name__ == "__main__":
    main()
