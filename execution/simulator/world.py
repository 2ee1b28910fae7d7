"""The simulated world: one clock, one folder of state, one set of made-up accounts.

Every vendor of the simulator keeps its objects here. Objects live in memory as plain dicts and are
written through to one SQLite file, so that a simulator that was killed goes on where it stopped.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw

Json = dict[str, Any]

_SCHEMA = """
create table if not exists object (
    kind text not null, id text not null, body text not null, primary key (kind, id)
) strict;
create table if not exists counter (name text primary key, value integer not null) strict;
"""


class World:
    """The state of every simulated vendor.

    `accounts` are the account ids and secrets of `accounts.json`, which a reset keeps. `url` is the
    simulator's address without a path, known once it listens. `rough_seed` is what it was started with: a number lets
    the world have every habit, also after a reset.
    """

    def __init__(self, folder: Path, rough_seed: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self.rough_seed = rough_seed
        self.url = ""
        # The HTTP loop, the SMTP thread and the tests write here; apsw refuses two threads at once.
        self._lock = threading.RLock()
        self._database = apsw.Connection(str(folder / "world.db"))
        self._database.pragma("synchronous", "off")
        self._database.pragma("journal_mode", "wal")
        self._database.execute(_SCHEMA)
        self._objects: dict[str, dict[str, Json]] = {}
        for kind, key, body in self._database.execute("select kind, id, body from object order by rowid"):
            self._objects.setdefault(kind, {})[key] = json.loads(body)
        self.accounts: Json = _read_json(folder / "accounts.json")
        self._offset: int = _read_json(folder / "clock.json").get("offset_seconds", 0)

    def introduce(self, made: Json) -> None:
        """Add accounts and secrets to those in `accounts.json`. What is known already stays as it is."""
        if not made.keys() <= self.accounts.keys():
            self.accounts = {**made, **self.accounts}
            write_json(self.folder / "accounts.json", self.accounts)

    # -- the clock ---------------------------------------------------------------------------------

    def now(self) -> int:
        """UTC seconds: the machine's clock plus what `/_control/clock` added."""
        return int(self.time())

    def time(self) -> float:
        """UTC seconds with fractions, for windows and rate limits."""
        return time.time() + self._offset

    def advance(self, seconds: int) -> None:
        """Move the simulated clock. Tillbook's own clock reads the offset from `clock.json`."""
        self._set_offset(self._offset + seconds)

    def _set_offset(self, seconds: int) -> None:
        if seconds != self._offset:
            self._offset = seconds
            write_json(self.folder / "clock.json", {"offset_seconds": seconds})

    # -- objects -----------------------------------------------------------------------------------

    def get(self, kind: str, key: str) -> Json | None:
        """The object itself: change it only to `save` it again."""
        return self._objects.get(kind, {}).get(key)

    def all(self, kind: str) -> Iterator[Json]:
        """Every object of a kind, oldest first."""
        return iter(list(self._objects.get(kind, {}).values()))

    def kinds(self) -> list[str]:
        """The kinds that hold at least one object, in alphabetical order."""
        return sorted(kind for kind, objects in self._objects.items() if objects)

    def count(self, kind: str) -> int:
        """How many objects of a kind there are."""
        return len(self._objects.get(kind, {}))

    def save(self, kind: str, key: str, body: Json) -> Json:
        """Keep an object, new or changed."""
        with self._lock:
            self._objects.setdefault(kind, {})[key] = body
            self._database.execute(
                "insert into object values (?, ?, ?) on conflict do update set body = excluded.body",
                (kind, key, json.dumps(body)),
            )
        return body

    def delete(self, kind: str, key: str) -> None:
        """Forget an object. An unknown one is fine."""
        with self._lock:
            self._objects.get(kind, {}).pop(key, None)
            self._database.execute("delete from object where kind = ? and id = ?", (kind, key))

    def number(self, name: str) -> int:
        """The next number of a series: 1, 2, 3 ..."""
        with self._lock:
            row = self._database.execute(
                "insert into counter values (?, 1) on conflict do update set value = value + 1 returning value", (name,)
            ).get
        return int(row)

    def identifier(self, prefix: str) -> str:
        """A vendor-like id that never comes back, also after a reset: `pi_4f0c...`."""
        return f"{prefix}_{secrets.token_hex(12)}"

    def reset(self) -> None:
        """Forget every object and the clock's offset. Keep the accounts and their secrets."""
        with self._lock:
            self._database.execute("delete from object; delete from counter")
            self._objects.clear()
            self._set_offset(0)

    def photograph(self) -> str:
        """Every object, counter and the clock's offset as one text, for `restore`."""
        with self._lock:
            counters = {row[0]: row[1] for row in self._database.execute("select name, value from counter")}
            return json.dumps({"objects": self._objects, "counters": counters, "offset": self._offset})

    def restore(self, photograph: str) -> None:
        """Be what the photograph shows again, and nothing else."""
        shown = json.loads(photograph)
        with self._lock, self._database:
            self._database.execute("delete from object; delete from counter")
            self._objects = shown["objects"]
            for kind, objects in self._objects.items():
                rows = [(kind, key, json.dumps(body)) for key, body in objects.items()]
                self._database.executemany("insert into object values (?, ?, ?)", rows)
            self._database.executemany("insert into counter values (?, ?)", shown["counters"].items())
            self._set_offset(shown["offset"])

    def close(self) -> None:
        """Close the file. What was saved is there for the next World of this folder."""
        with self._lock:
            self._database.close()


def _read_json(file: Path) -> Json:
    return json.loads(file.read_text()) if file.exists() else {}


def write_json(file: Path, value: Json) -> None:
    """Replace a small file by a JSON object, in one move."""
    write_file(file, json.dumps(value, indent=1).encode())


def write_file(file: Path, content: bytes) -> None:
    """Replace a small file in one move, readable by its owner only."""
    draft = file.with_suffix(f".{os.getpid()}.tmp")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(content)
    os.replace(draft, file)
