"""The simulated vendors and a mailbox on localhost."""

from __future__ import annotations

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
) -> None:
    """Run the simulated vendors and a mailbox on this machine, with made-up accounts. No keys are needed."""
    run_simulator(
        port=(urlsplit(settings.simulator_address()).port or 80) if port is None else port,
        state=(state or settings.home_folder() / "simulator").absolute(),
        deliver_to=settings.receiver_address() if deliver_to is None else deliver_to,
        record=record,
        rough=seed if rough else None,
    )


if __name__ == "__main__":
    app()
