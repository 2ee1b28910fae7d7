"""Webhook deliveries of every simulated vendor: signed, sent from the loop, retried for days of simulated time."""

from __future__ import annotations

import asyncio
import heapq
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from simulator.world import Json, World

_TIMEOUT_SECONDS = 10
_MOST_AT_ONCE = 16
_LONGEST_ANSWER = 65_536


@dataclass(frozen=True)
class Channel:
    """What differs between vendors.

    Events are the World's `<vendor>.event`, their deliveries `<vendor>.delivery`. A bare address gets
    `/webhooks/<vendor>`, and with `takes_any_path` an address with another path is meant for this vendor, too.
    `retry_after` are the pauses in seconds after each failed attempt (the last is repeated), `give_up_after` and
    `most_attempts` end them. `write` makes an event the body, `sign` a body at a time (UTC seconds) the headers, and
    `ended` is told of an event that is delivered or given up.
    """

    vendor: str
    retry_after: tuple[int, ...]
    give_up_after: int
    write: Callable[[Json], bytes]
    sign: Callable[[bytes, int], Awaitable[Mapping[str, str]]]
    most_attempts: int = 1_000_000
    ended: Callable[[Json], None] = lambda _event: None
    takes_any_path: bool = False


class Deliveries:
    """The one webhook endpoint of an account. An empty address means: there is none."""

    def __init__(self, world: World, channel: Channel) -> None:
        self._world = world
        self._channel = channel
        self._kind = f"{channel.vendor}.delivery"
        self._path = f"/webhooks/{channel.vendor}"
        self.address = ""
        self.paused = False
        self._running: set[asyncio.Task[int]] = set()
        self._heap: list[tuple[int, str]] = []
        self.read()

    def read(self) -> None:
        """Know the deliveries that the World keeps as pending, and nothing else."""
        waiting = (row for row in self._world.all(self._kind) if row["state"] == "pending")
        self._heap = [(row["due"], row["id"]) for row in waiting]
        heapq.heapify(self._heap)

    def offer(self, address: str) -> None:
        """Deliver to this address from now on if its path is ours or empty, else nowhere."""
        path = urlsplit(address).path.rstrip("/")
        ours = self._channel.takes_any_path or not path or path.endswith(self._path)
        self.point_to(address if ours else "")

    def point_to(self, address: str) -> None:
        """Deliver to this address from now on. One without a path gets the vendor's own (`/webhooks/stripe`)."""
        parts = urlsplit(address)
        if address and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError(f"{address!r} is no http or https address to deliver events to")
        bare = bool(address) and parts.path in ("", "/")
        self.address = address.rstrip("/") + self._path if bare else address

    def queue(self, event: Json) -> None:
        """Deliver an event as soon as the loop gets to it. Without an address nothing happens."""
        if self.address:
            now = self._world.now()
            row = {"id": event["id"], "state": "pending", "attempts": 0, "due": now, "since": now, "last_status": None}
            self._world.save(self._kind, event["id"], row)
            heapq.heappush(self._heap, (now, event["id"]))
            asyncio.get_running_loop().call_soon(self.pump)

    def requeue(self, event: Json) -> None:
        """Deliver an event from the beginning once more, unless it is waiting to be delivered anyway."""
        row = self._world.get(self._kind, event["id"])
        if row is None or row["state"] != "pending":
            self.queue(event)

    def pump(self) -> None:
        """Start every delivery that is due. Call it from the event loop, often."""
        now = self._world.now()
        while self._heap and self._heap[0][0] <= now and len(self._running) < _MOST_AT_ONCE:
            row = self._world.get(self._kind, self._heap[0][1])
            if row is None or row["state"] != "pending":
                heapq.heappop(self._heap)
            elif now > row["since"] + self._channel.give_up_after and (row["attempts"] or self.paused):
                heapq.heappop(self._heap)
                self._close(row, "given_up")
            elif self.paused:
                return
            else:
                heapq.heappop(self._heap)
                self._start(row["id"])

    def discard(self) -> int:
        """Lose every delivery that is still waiting, and say how many. The events stay listed as not delivered."""
        lost = 0
        for _due, key in self._heap:
            if (row := self._world.get(self._kind, key)) and row["state"] == "pending":
                self._close(row, "given_up")
                lost += 1
        self._heap.clear()
        return lost

    async def redeliver(self, key: str, times: int) -> list[int]:
        """Send an event now, `times` at once, paused or not: the HTTP statuses (0: no answer)."""
        return list(await asyncio.gather(*[self._start(key, again=True) for _ in range(times)]))

    def succeeded(self, key: str) -> bool:
        """Whether an event reached its endpoint. With no endpoint there was nothing to do."""
        row = self._world.get(self._kind, key)
        return row is None or row["state"] == "delivered"

    def counts(self) -> dict[str, int]:
        """How many deliveries are in each state."""
        counts = {"pending": 0, "delivered": 0, "given_up": 0}
        for row in self._world.all(self._kind):
            counts[row["state"]] += 1
        return counts

    async def stop(self) -> None:
        """Break off what is being sent. It stays pending for the next start."""
        self._heap.clear()
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def clear(self) -> None:
        """Forget everything: the World was reset."""
        await self.stop()
        self.paused = False

    def _start(self, key: str, *, again: bool = False) -> asyncio.Task[int]:
        task = asyncio.get_running_loop().create_task(self._attempt(key, again))
        self._running.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[int]) -> None:
        self._running.discard(task)
        self.pump()

    async def _attempt(self, key: str, again: bool) -> int:
        event = self._world.get(f"{self._channel.vendor}.event", key)
        if event is None or not self.address:
            return 0
        body = self._channel.write(event)
        headers = await self._channel.sign(body, self._world.now())
        status = await _post(self.address, body, headers)
        row = self._world.get(self._kind, key)
        if row is not None:
            self._record(row, status, again)
        return status

    def _record(self, row: Json, status: int, again: bool) -> None:
        row["attempts"] += 1
        row["last_status"] = status
        if 200 <= status < 300:
            self._close(row, "delivered")
            return
        if not again and row["state"] == "pending":
            if row["attempts"] >= self._channel.most_attempts:
                self._close(row, "given_up")
                return
            pauses = self._channel.retry_after
            row["due"] = self._world.now() + pauses[min(row["attempts"], len(pauses)) - 1]
            heapq.heappush(self._heap, (row["due"], row["id"]))
        self._world.save(self._kind, row["id"], row)

    def _close(self, row: Json, state: str) -> None:
        row["state"] = state
        self._world.save(self._kind, row["id"], row)
        event = self._world.get(f"{self._channel.vendor}.event", row["id"])
        if event is not None:
            self._channel.ended(event)


async def _post(address: str, body: bytes, headers: Mapping[str, str]) -> int:
    """The status that the endpoint answered, 0 when it did not answer. Redirects are not followed."""
    parts = urlsplit(address)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    own = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: */*\r\nContent-Length: {len(body)}\r\n"
        f"{own}Connection: close\r\n\r\n"
    )
    secure = ssl.create_default_context() if parts.scheme == "https" else None
    port = parts.port or (443 if secure else 80)
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=secure)
            try:
                writer.write(head.encode() + body)
                await writer.drain()
                status = int((await reader.readline()).split()[1])
                await reader.read(_LONGEST_ANSWER)
            finally:
                writer.close()
        return status
    except (OSError, TimeoutError, ValueError, IndexError):
        return 0
