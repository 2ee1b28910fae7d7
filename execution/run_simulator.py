"""The simulated vendors and a mailbox on localhost."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from tillbook import cli
from tillbook.kit import settings
from tillbook.kit.errors import Refused


def run_simulator(
    *, port: int, state: Path, deliver_to: str, record: Path | None = None, rough: int | None = None
) -> None:
    """Serve the simulated world until stopped. Other scripts find it through a file in TILLBOOK_HOME.

    With `rough`, a seed, the vendors behave as the real ones do, and not as is convenient.
    Raises Refused when the port is taken.
    """
    from simulator.server import Simulator, SimulatorError  # noqa: PLC0415  start-up time

    settings.make_home()  # before the simulator does: it holds the ledger, which is nobody else's business
    simulator = Simulator(state, port=port, deliver_to=deliver_to, record=record, rough=rough)
    try:
        simulator.serve_forever(started=lambda: _announce(simulator.url, state))
    except SimulatorError as error:
        raise Refused(str(error), hint="Pass another --port.") from error


@dataclass(frozen=True, slots=True)
class Detached:
    """A simulator in the background. `already_done` when there was nothing to do. `log` has its words."""

    url: str
    mailbox: str
    running: bool
    already_done: bool
    log: str


def detach(options: list[str], *, port: int, state: Path) -> Detached:
    """Start the simulator in the background, once. Raises Refused when it does not start, or one of another home runs
    at this port."""
    from simulator import detached  # noqa: PLC0415  start-up time
    from simulator.server import SimulatorError  # noqa: PLC0415

    home = settings.make_home()
    url, log = f"http://127.0.0.1:{port}", home / "simulator.log"
    ran = detached.folder_of(url)
    if ran and ran.resolve() != state.resolve():
        raise Refused(
            f"a simulator of another home listens at {url}: it keeps its world in {ran}",
            hint="Stop it with `python execution/run_simulator.py --stop`, or pass another --port.",
        )
    if not ran:
        try:
            detached.start([sys.executable, __file__, "--port", str(port), *options], url, log)
        except SimulatorError as error:
            raise Refused(
                str(error), hint=f"Its words are in {log}. Is the port taken? Pass another --port."
            ) from error
    return Detached(url, f"{url}/mailbox/", running=True, already_done=ran is not None, log=str(log))


def stop(*, port: int) -> Detached:
    """Tell the simulator of this port to stop. Raises Refused when it does not."""
    from simulator import detached  # noqa: PLC0415  start-up time
    from simulator.server import SimulatorError  # noqa: PLC0415

    url = f"http://127.0.0.1:{port}"
    try:
        ran = detached.stop(url)
    except SimulatorError as error:
        raise Refused(str(error), hint="End its process by hand.") from error
    return Detached(url, "", running=False, already_done=not ran, log=str(settings.home_folder() / "simulator.log"))


def _announce(url: str, state: Path) -> None:
    settings.name_simulator(state)
    cli.say(f"The simulator listens on {url}")
    cli.say(f"  mailbox   {url}/mailbox/")
    cli.say(f"  control   {url}/_control/state")
    cli.say(f"  state     {state}")
    cli.say("Stop with Ctrl-C.")


@cli.command
def app(
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Default: that of TILLBOOK_SIMULATOR_URL.")] = None,
    state: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Default: simulator/ in TILLBOOK_HOME.")] = None,
    deliver_to: Annotated[
        str | None, typer.Option("--deliver-to", metavar="URL", help="Where events go. Default: receive_webhooks.py.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every request and answer there, a JSON line each.")
    ] = None,
    rough: Annotated[
        bool, typer.Option("--rough", help="With minimum amounts, conversion, disputes that cost, and other people.")
    ] = False,
    seed: Annotated[int, typer.Option(help="With --rough: the same number lets the same things happen.")] = 0,
    detached: Annotated[
        bool, typer.Option("--detach", help="Start it in the background, unless it runs; return when it answers.")
    ] = False,
    stopping: Annotated[bool, typer.Option("--stop", help="Stop the one that runs at this port.")] = False,
) -> Detached | None:
    """Run the simulated vendors and a mailbox on this machine, with made-up accounts. No keys are needed."""
    number = (urlsplit(settings.simulator_address()).port or 80) if port is None else port
    if stopping:
        return stop(port=number)
    folder = (state or settings.home_folder() / "simulator").absolute()
    receiver = settings.receiver_address() if deliver_to is None else deliver_to
    if detached:
        options = ["--state", str(folder), "--deliver-to", receiver, "--seed", str(seed)]
        options += ["--rough"] if rough else []
        options += ["--record", str(record.absolute())] if record else []
        return detach(options, port=number, state=folder)
    run_simulator(port=number, state=folder, deliver_to=receiver, record=record, rough=seed if rough else None)
    return None


if __name__ == "__main__":
    app()
