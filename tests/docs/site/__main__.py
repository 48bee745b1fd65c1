"""`./run docs`: builds the site of the documentation, says where it lies, and serves it if asked to."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from tests.architecture.source_tree import ROOT
from tests.docs.site.site_build import SiteError, build_site

SITE = ROOT / "build" / "site"


def main() -> int:
    """Exit code 1 where the site could not be built."""
    parser = argparse.ArgumentParser(prog="./run docs", description="Build the site of the documentation.")
    parser.add_argument("--serve", action="store_true", help="serve it on this machine until Ctrl-C")
    parser.add_argument("--port", type=int, default=0, metavar="N", help="port for --serve (default: a free one)")
    options = parser.parse_args()
    try:
        build_site(SITE)
    except SiteError as error:
        print(f"./run docs: the site could not be built.\n{error}", file=sys.stderr)
        return 1
    print(f"{SITE / 'index.html'} is the first page. It needs neither a server nor the network.")
    if options.serve:
        _serve(options.port)
    return 0


def _serve(port: int) -> None:
    handler = partial(SimpleHTTPRequestHandler, directory=str(SITE))
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"http://127.0.0.1:{server.server_port}/ until Ctrl-C", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    sys.exit(main())
