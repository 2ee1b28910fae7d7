"""The whole sale in the simulator, narrated."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from tillbook import cli
from tillbook.kit import settings
from tillbook.kit.errors import TillbookError
from tillbook.vendors.providers import PROVIDERS, declared_settings

SCRIPTS = Path(__file__).parent
CUSTOMER = {  # what a customer types and presses, whichever provider's page it is
    "outcome": "approve",
    "email": "owner@cafe-mueller.example",
    "card_number": "4242 4242 4242 4242",
    "card_expiry": "12 / 34",
    "card_cvc": "123",
    "card_name": "Ada Lovelace",
}
ORDER: dict[str, Any] = {
    "number": "INV-1001",
    "currency": "USD",
    "due": "2027-01-31",
    "memo": "Thank you",
    "customer": {
        "name": "Café Müller",
        "email": "owner@cafe-mueller.example",
        "address": {"line1": "1 Main St", "city": "Austin", "state": "TX", "postal_code": "78701", "country": "US"},
    },
    "lines": [
        {"description": "Consulting", "sku": "CONSULT", "quantity": "0.5", "unit_price": "120.00", "taxable": False},
        {"description": "Mugs", "sku": "MUG", "quantity": "3", "unit_price": "14.00", "taxable": True},
    ],
    "discount": {"percent": "10"},
}


@dataclass(frozen=True, slots=True)
class Demonstrated:
    chain: list[dict[str, Any]]


def run_demo(*, provider: str) -> Demonstrated:
    """Run every step of a sale as its own process, on ports and folders of its own. Nothing leaves this machine."""
    with tempfile.TemporaryDirectory(prefix="tillbook-demo-") as folder, _world(Path(folder)) as demo:
        cli.say("1. A form was submitted: 0.5 h of consulting, three mugs, 10 % discount.")
        order = Path(folder) / "order.json"
        order.write_text(json.dumps(ORDER))
        cli.say("2. It becomes an invoice in QuickBooks, once; QuickBooks computes the sales tax.")
        invoice = demo.step("create_invoice", str(order))
        cli.say(f"3. A page where {_money(invoice['amount'])} can be paid, and the mail that links to it.")
        page = demo.step("create_checkout", "INV-1001", "--provider", provider)
        demo.step("send_invoice", "INV-1001")
        cli.say("4. The customer pays on the page; signed webhooks arrive and are kept before they are answered.")
        demo.pay(page["url"])
        cli.say("5. Each event is only a hint: the payment is read back by id, becomes facts and entries ...")
        demo.step("process_inbox")
        cli.say("6. ... the payment is recorded in QuickBooks against the invoice ...")
        demo.step("post_to_books")
        cli.say("7. ... and the confirmation goes out.")
        demo.step("send_messages")
        cli.say("8. A minute later every fee is known: one round of run_pending.py, as cron runs it.")
        demo.advance(60)
        demo.step("run_pending")
        cli.say("9. The whole chain:")
        return Demonstrated(demo.step("show_payment", "INV-1001")["chain"])


class _Demo:
    """Steps as processes in one simulated world."""

    def __init__(self, environment: dict[str, str], simulator: str) -> None:
        self._environment = environment
        self._simulator = simulator

    def step(self, script: str, *arguments: str) -> dict[str, Any]:
        """Run one script and return its JSON. Raises TillbookError with what it said when it fails."""
        cli.say(f"   $ python execution/{script}.py {' '.join(arguments)}")
        command = [sys.executable, str(SCRIPTS / f"{script}.py"), *arguments, "--json"]
        run = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603  our own script
        if run.returncode != 0:
            raise TillbookError(f"{script}.py ended with {run.returncode}: {run.stderr.strip()}")
        result: dict[str, Any] = json.loads(run.stdout)
        return result

    def pay(self, url: str) -> None:
        """Fill in the page as a customer does, and wait until the page after it is ours."""
        import requests  # noqa: PLC0415  start-up time

        answer = requests.post(url, data=CUSTOMER, timeout=30)
        if answer.status_code != requests.codes.ok:
            raise TillbookError(f"the payment was not taken: the page answered {answer.status_code}")
        cli.say(f"   the customer is back at {answer.url.split('?')[0].rsplit('/', 2)[0]}/...")

    def advance(self, seconds: int) -> None:
        import requests  # noqa: PLC0415  start-up time

        address = f"{self._simulator}/_control/clock"
        requests.post(address, json={"advance_seconds": seconds}, timeout=30).raise_for_status()


@contextmanager
def _world(folder: Path) -> Iterator[_Demo]:
    """A simulator and a receiver of their own, stopped at the end."""
    from simulator.server import Simulator, free_port  # noqa: PLC0415  start-up time

    receiver = f"http://127.0.0.1:{free_port()}"
    with Simulator(folder / "simulator", deliver_to=receiver) as simulator:
        environment = _clean_environment() | {
            "TILLBOOK_HOME": str(folder),
            "TILLBOOK_ENV": os.devnull,
            "TILLBOOK_BASE_URL": receiver,
            "TILLBOOK_SIMULATOR_URL": simulator.url,
            "MAIL_OWNER": "you@tillbook.example",
        }
        command = [sys.executable, str(SCRIPTS / "receive_webhooks.py"), "--port", receiver.rpartition(":")[2]]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603  our own script
        try:
            _wait_for(receiver)
            yield _Demo(environment, simulator.url)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _clean_environment() -> dict[str, str]:
    """This environment without anything that would lead out of the demonstration."""
    ours = {"TILLBOOK_ENV", *settings.names(declared_settings())}
    return {name: value for name, value in os.environ.items() if name not in ours}


def _wait_for(receiver: str) -> None:
    import requests  # noqa: PLC0415  start-up time
    from urllib3 import Retry  # noqa: PLC0415

    with requests.Session() as session:
        session.mount(receiver, requests.adapters.HTTPAdapter(max_retries=Retry(connect=8, backoff_factor=0.1)))
        session.get(f"{receiver}/healthz", timeout=30).raise_for_status()


def _money(amount: dict[str, Any]) -> str:
    from tillbook.kit.money import Money  # noqa: PLC0415  start-up time

    return str(Money(amount["minor"], amount["currency"]))


@cli.command
def app(
    provider: Annotated[str, cli.provider_option("Who takes the money.")] = next(iter(PROVIDERS)),
) -> Demonstrated:
    """Show a whole sale, from the form to the books, in a simulated world on this machine. No keys are needed."""
    return run_demo(provider=provider)


if __name__ == "__main__":
    app()
