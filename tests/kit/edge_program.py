"""Runs one edge process for tests: `python -m tests.kit.edge_program {"folder": …, "port": …}`."""

import ipaddress
import json
import sys
from pathlib import Path

from resonanz.app.ops import build_ops
from resonanz.edge import outgoing, serve
from resonanz.edge.serve import EdgeSettings, run


def main(arguments: dict[str, object]) -> None:
    folder = Path(str(arguments["folder"]))
    proxies = arguments.get("trusted_proxies", [])
    assert isinstance(proxies, list)
    serve._TAKING_SECONDS = int(str(arguments.get("taking_seconds", serve._TAKING_SECONDS)))
    outgoing.ROOM_BYTES = int(str(arguments.get("room", outgoing.ROOM_BYTES)))
    run(
        EdgeSettings(
            keys_file=folder / "keys.json",
            journal_folder=Path(str(arguments.get("journal", folder / "journal"))),
            journal_limit_bytes=int(str(arguments.get("journal_limit", 1024**3))),
            documents_folder=folder / "documents",
            snapshot_file=folder / "snapshot",
            port=int(str(arguments["port"])),
            app_url=str(arguments.get("app_url", "")),
            ops_port=int(str(arguments.get("ops_port", 0))),
            trusted_proxies=tuple(map(ipaddress.ip_network, proxies)),
            proxy_header=str(arguments.get("proxy_header", "x-forwarded-for")),
        ),
        build_ops=build_ops,
    )


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
