"""The controller as a program.

python -m deploy.stack.controller --listen 127.0.0.1:9829 --secret.file FILE
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from deploy.stack.controller.controller import ACCOUNT, CLIENT, Controller
from deploy.stack.controller.server import Server
from exporter.demo.shop import APPLICATIONS


def main(arguments: Sequence[str] | None = None) -> None:
    about = f"An AppDynamics controller stub: account {ACCOUNT}, API client {CLIENT}."
    parser = argparse.ArgumentParser(prog="python -m deploy.stack.controller", description=about)
    parser.add_argument("--listen", default="127.0.0.1:9829", metavar="HOST:PORT")
    parser.add_argument("--secret.file", dest="secret", type=Path, required=True, help="the API client's secret")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)

    host, _, port = options.listen.rpartition(":")
    secret = options.secret.read_text(encoding="utf-8").strip()
    controller = Controller(options.seed, secret=secret)

    names = ", ".join(application.name for application in APPLICATIONS)
    print(f"http://{options.listen}: account {ACCOUNT}, client {CLIENT}; {names}, and with -pte each", flush=True)
    Server((host, int(port)), controller).serve_forever()


if __name__ == "__main__":
    main()
