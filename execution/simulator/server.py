"""The simulator as one server on localhost: the vendors, the customer's pages, the mailbox and `/_control`."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from simulator import mailbox
from simulator.background import Background
from simulator.control.verbs import Control
from simulator.vendor import Options, Processor, Vendor
from simulator.vendors import VENDORS
from simulator.wire.connection import DroppableProtocol
from simulator.wire.exchange import RequestLog, Wire
from simulator.wire.faults import Faults
from simulator.world import World, write_json

_TICK_SECONDS = 0.2
_START_TIMEOUT_SECONDS = 10
_KEEP_ALIVE_SECONDS = 75
_PORTS = (20000, 32000)

Json = dict[str, Any]
Value = TypeVar("Value")


@dataclass(frozen=True)
class Photograph:
    """A simulated world at one moment, with the requests that came and the faults that were ordered until then."""

    world: str
    vendors: list[str]
    requests: list[Json]
    faults: list[Json]


class SimulatorError(OSError):
    """The simulator cannot start. The message says why in one sentence."""


class Simulator:
    """A simulated world that listens. Use it as a context manager, or call `start` and `stop`.

    `folder` keeps the world between runs. `port` 0 takes a free one. `deliver_to` is where the vendors' events go: a
    base address gets `/webhooks/stripe` and `/webhooks/paypal`, an empty one nothing. `record` is a file that gets
    every vendor request as a JSON line. `settle_seconds` is how long after a payment its fee appears. With `rough`, the
    seed of its chances, the world has every habit of `habits.HABITS`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        deliver_to: str = "",
        record: Path | None = None,
        settle_seconds: int = 2,
        rough: int | None = None,
        vendors: Sequence[type[Vendor]] = VENDORS,
    ) -> None:
        self.world = World(folder, rough)
        self.smtp_url = ""
        self._host, self._port = host, port
        made = {"form_secret": secrets.token_hex(24)}
        for vendor in vendors:
            made |= vendor.made_accounts()
        self.world.introduce(made)
        options = Options(deliver_to=deliver_to, settle_seconds=settle_seconds)
        self._vendors = [vendor(self.world, options) for vendor in vendors]
        self._processors = [vendor for vendor in self._vendors if isinstance(vendor, Processor)]
        self._log = RequestLog(record)
        self._faults = Faults(
            [vendor.name for vendor in vendors], [vendor.name for vendor in vendors if vendor.refuses_busy_keys]
        )
        self._mailbox = mailbox.Mailbox(self.world, host)
        self._told_to_stop = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._background = Background(self.world, self._vendors)
        self._wire = Wire(self._log, self._faults, self._background.asked)
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._application(),
                http=DroppableProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=2,
            )
        )

    @property
    def url(self) -> str:
        """The address without a path, once it listens."""
        return self.world.url

    def __enter__(self) -> Simulator:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen in a thread of its own. Returns when connections are accepted. Raises SimulatorError."""
        try:
            listener = _listen(self._host, self._port)
        except SimulatorError:
            self._close_files()
            raise
        self.world.url = f"http://{self._host}:{listener.getsockname()[1]}"
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(listener, ready), name="simulator", daemon=True)
        self._thread.start()
        if not ready.wait(_START_TIMEOUT_SECONDS) or not self._server.started:
            self.stop()
            raise SimulatorError(f"The simulator did not start on {self.url}.")

    def stop(self) -> None:
        """Stop listening, let held requests go, and close every file and thread. Stopping twice is fine."""
        if self._thread is None:
            return
        self._server.should_exit = True
        with contextlib.suppress(RuntimeError):  # The loop has already ended by itself.
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._wire.release)
        self._thread.join()
        self._thread = None
        self._close_files()

    def photograph(self) -> Photograph:
        """The whole world as it is now."""
        return self._in_loop(
            lambda: Photograph(
                self.world.photograph(),
                [vendor.photograph() for vendor in self._vendors],
                self._log.since(0),
                self._faults.shown(),
            )
        )

    def restore(self, shown: Photograph, *, with_requests: bool = False) -> None:
        """The world as it was: one prepared situation serves many trials.

        Faults are cleared. The log of requests is empty, or with `with_requests` as it was.
        """

        def put_back() -> None:
            self.world.restore(shown.world)
            for vendor, kept in zip(self._vendors, shown.vendors, strict=True):
                vendor.restore(kept)
            self._faults.clear()
            self._log.clear()
            if with_requests:
                self._log.put_back(shown.requests)

        self._in_loop(put_back)

    def _in_loop(self, action: Callable[[], Value]) -> Value:
        """Do something in the loop, where nothing else happens meanwhile."""

        async def do() -> Value:
            return action()

        assert self._loop is not None, "the simulator was started"
        return asyncio.run_coroutine_threadsafe(do(), self._loop).result()

    def serve_forever(self, started: Callable[[], None] | None = None) -> None:
        """Start, call `started`, and serve until Ctrl-C, SIGTERM or `/_control/stop`. Only in the main thread."""

        def finish(_number: int, _frame: FrameType | None) -> None:
            self._told_to_stop.set()

        previous = {number: signal.signal(number, finish) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            self.start()
            if started:
                started()
            self._told_to_stop.wait()
        finally:
            self.stop()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _application(self) -> Starlette:
        control = Control(self.world, self._vendors, self._log, self._faults, self._told_to_stop.set)
        routes: list[BaseRoute] = [
            Mount("/mailbox", routes=mailbox.routes(self.world)),
            Mount("/_control", routes=control.routes()),
        ]
        for vendor in self._vendors:
            # The pages come first: some lie below the path of the API.
            routes += [*vendor.pages(), Mount(f"/{vendor.name}", app=self._wire.before(vendor))]
        return Starlette(routes=routes)

    async def _tick(self) -> None:
        """While the server lives, what is due happens by itself."""
        while True:
            self._background.pass_time()
            await asyncio.sleep(_TICK_SECONDS)

    def _run(self, listener: socket.socket, ready: threading.Event) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            self.smtp_url = f"smtp://{self._host}:{await self._mailbox.listen()}"
            write_json(self.world.folder / "addresses.json", {"url": self.url, "smtp_url": self.smtp_url})
            ticking = asyncio.create_task(self._tick())
            serving = asyncio.create_task(self._server.serve(sockets=[listener]))
            while not self._server.started and not serving.done():
                await asyncio.sleep(0.002)
            ready.set()
            await serving
            ticking.cancel()
            await asyncio.gather(ticking, *[one.deliveries.stop() for one in self._processors], return_exceptions=True)
            self._mailbox.close()

        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(serve())
        finally:
            listener.close()
            ready.set()

    def _close_files(self) -> None:
        self._log.close()
        self.world.close()


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise SimulatorError(f"The simulator cannot listen on {host}:{port}: {reason}.") from error
    listener.listen(2048)
    return listener


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on now, for a server that is to be started next.

    None of those that systems give to connections that go out: such a one may be taken before the server starts.
    """
    while True:
        port = random.randrange(*_PORTS)  # noqa: S311  no secret
        with contextlib.suppress(SimulatorError), _listen(host, port):
            return port
