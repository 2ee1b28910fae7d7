"""`python` for a shell: a script of ours is run by a copy of the process that makes processes, all else by Python.

`quick_python.py ADDRESS WORD...` imports next to nothing, so that it starts at once (see `processes.py`).
"""

from __future__ import annotations

import json
import os
import socket
import sys

SERVERS = ("run_simulator.py", "receive_webhooks.py")  # they are stopped by signals, which would end here


def handed_over(address: str, ask: dict[str, object], streams: list[int]) -> socket.socket:
    """Ask for a process with these streams; how it ended comes out of the socket, and then its end."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address)
    text = json.dumps(ask).encode()
    sent = socket.send_fds(connection, [text], streams)
    connection.sendall(text[sent:])
    connection.shutdown(socket.SHUT_WR)
    return connection


def ending(connection: socket.socket) -> int:
    """Wait for the process: its exit code, or the negative number of the signal that ended it."""
    with connection, connection.makefile("rb") as answer:
        return int(answer.read())


def main(address: str, *words: str) -> None:
    """Run what `python WORD...` would."""
    folder, _, script = words[0].rpartition("/") if words else ("", "", "")
    if folder != "execution" or script in SERVERS:
        os.execv(sys.executable, [sys.executable, *words])  # noqa: S606  Python itself
    ask = {"words": words, "folder": os.getcwd(), "environment": dict(os.environ), "end_at": -1}
    sys.exit(ending(handed_over(address, ask, [0, 1, 2])))


if __name__ == "__main__":
    main(*sys.argv[1:])
