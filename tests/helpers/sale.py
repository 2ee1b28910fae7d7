"""A sale in few words: what tests do at the till, each step as a person, an agent or cron would take it."""

from __future__ import annotations

import functools
import importlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from typer.testing import CliRunner

from helpers.prepared import prepared
from simulator.server import Simulator
from tillbook.ledger import Ledger
from tillbook.till import Till, open_till
from tillbook.vendors.providers import clearing
from tillbook.vendors.quickbooks.books import QuickBooksOnline

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "execution"
GOOD, DECLINED, NO_FUNDS = "4242424242424242", "4000000000000002", "4000000000009995"


@dataclass(frozen=True)
class Ran:
    """How a command ended: its exit code, its result, and the words on stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Json:
        assert self.code in (0, 3, 4, 5, 7), self.err
        found: Json = json.loads(self.out)
        return found


@functools.cache
def _new_ledger() -> bytes:
    """A ledger that nothing was written to, made once: its migrations take longer than many a test."""
    with tempfile.TemporaryDirectory() as folder:
        Ledger(Path(folder) / "ledger.db", clearing).close()
        return (Path(folder) / "ledger.db").read_bytes()


@dataclass
class Shop:
    """One home folder in a running world. `till` is an open till, for asking what became of things."""

    simulator: Simulator
    home: Path
    till: Till

    @staticmethod
    @contextmanager
    def opened(simulator: Simulator, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
        """A reset world and a new home, named by the environment as on a user's machine."""
        control(simulator, "reset", {})
        home.mkdir(mode=0o700)
        (home / "ledger.db").touch(mode=0o600)
        (home / "ledger.db").write_bytes(_new_ledger())
        (home / "simulator.json").write_text(json.dumps({"state": str(simulator.world.folder)}))
        monkeypatch.setenv("TILLBOOK_HOME", str(home))
        monkeypatch.setenv("TILLBOOK_TIMEOUT_SECONDS", "5")
        shop = Shop(simulator, home, open_till())
        try:
            yield shop
        finally:
            shop.till.close()

    def run(self, script: str, *arguments: str, stdin: str | bytes | None = None) -> Ran:
        """A step through its Typer command, in this process; stdout is not a terminal, so the result is JSON."""
        module = importlib.import_module(script)
        result = CliRunner().invoke(module.app, list(arguments), input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    def spawn(self, script: str, *arguments: str, **environment: str) -> Ran:
        """A step as a process of its own, from a folder that is not the repository."""
        from helpers.running.processes import mother

        (ran,) = mother().run((script, *arguments), folder=self.home, **environment)
        return ran

    def start(self, script: str, *arguments: str) -> Ran:
        """A step as `spawn` takes it, by a Python that starts from nothing."""
        done = subprocess.run(
            [sys.executable, str(SCRIPTS / f"{script}.py"), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=self.home,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def order(self, number: str = "INV-1001", **changes: Any) -> str:
        """The path of an order file: half an hour of consulting for Ada, 60.00 USD without tax, unless changed."""
        content: Json = {
            "number": number,
            "currency": "USD",
            "due": "2027-01-31",
            "customer": {"name": "Grace Ltd", "email": "grace@example.com"},
            "lines": [{"description": "Consulting", "sku": "CONSULT", "quantity": "0.5", "unit_price": "120.00"}],
            **changes,
        }
        file = self.home / f"{number}.json"
        file.write_text(json.dumps(content), encoding="utf-8")
        return str(file)

    @prepared
    def invoiced(self, number: str = "INV-1001", **changes: Any) -> Json:
        """An order that became an invoice."""
        return self.run("create_invoice", self.order(number, **changes)).json

    @prepared
    def opened_page(self, number: str = "INV-1001", *, provider: str = "stripe", **changes: Any) -> Json:
        """An invoice with an open page."""
        self.invoiced(number, **changes)
        return self.run("create_checkout", number, "--provider", provider).json

    @prepared
    def approved(self, number: str = "INV-1001", **changes: Any) -> str:
        """A page at PayPal that its customer approved without coming back: its id. No money moved yet."""
        page = self.opened_page(number, provider="paypal", **changes)
        assert self.pay(page["checkout_id"])["status"] == "approved"
        return str(page["checkout_id"])

    def pay(self, checkout_id: str, card: str = GOOD) -> Json:
        """The customer pays; the answer names the payment intent. A decline answers with its reason."""
        body = {"checkout_id": checkout_id, "card": card}
        found: Json = requests.post(f"{self.simulator.url}/_control/pay", json=body, timeout=10).json()
        return found

    @prepared
    def paid(self, number: str = "INV-1001", **changes: Any) -> str:
        """A sale that was paid, its fee known, its events polled: the payment intent."""
        page = self.opened_page(number, **changes)
        payment = self.pay(page["checkout_id"])["payment_intent"]
        self.later(60)
        self.run("poll_events")
        return str(payment)

    @prepared
    def finished(self, number: str = "INV-1001", **changes: Any) -> str:
        """A sale that went all the way, into the books and to the customer: the payment intent."""
        payment = self.paid(number, **changes)
        for script in ("process_inbox", "post_to_books", "send_messages"):
            assert self.run(script).code == 0
        return payment

    def paid_at_the_counter(self, number: str, amount: str) -> None:
        """A payment that somebody took in cash and entered in QuickBooks by hand."""
        invoice = next(one for one in self.books("Invoice") if one["DocNumber"] == number)
        line = {"Amount": float(amount), "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}
        payment = {"TotalAmt": float(amount), "CustomerRef": invoice["CustomerRef"], "Line": [line]}
        self.entered_by_hand("Payment", payment)

    def entered_by_hand(self, kind: str, body: Json) -> None:
        """What somebody made or changed in QuickBooks itself: 'Invoice', 'Payment' ..."""
        books = self.till.books
        assert isinstance(books, QuickBooksOnline)
        books.connection.call(lambda client: client.create_object(kind, json.dumps(body).encode()))

    def later(self, seconds: int) -> None:
        """Let time pass in the simulated world; deliveries, fees and expiries become due."""
        control(self.simulator, "clock", {"advance_seconds": seconds})

    def fail(self, vendor: str, path: str, kind: str, *, method: str = "*", times: int = 1, **more: Any) -> None:
        """Let the next requests to a vendor's path fail in one of the simulator's ways."""
        fault = {"vendor": vendor, "method": method, "path": path, "kind": kind, "times": times, **more}
        control(self.simulator, "faults", fault)

    def habits(self, *names: str) -> None:
        """Let the vendors have these habits of the real ones."""
        control(self.simulator, "rough", {"habits": list(names)})

    def mails(self) -> list[Json]:
        """Every mail that arrived, oldest first, with text and html."""
        return list(self.simulator.world.all("mail"))

    def requests(self, vendor: str = "", method: str = "", path: str = "") -> list[Json]:
        """Requests that reached the vendors, oldest first."""
        found = requests.get(f"{self.simulator.url}/_control/requests", timeout=10).json()["requests"]
        return [
            row
            for row in found
            if vendor in ("", row["vendor"]) and method in ("", row["method"]) and path in row["path"]
        ]

    def books(self, kind: str) -> list[Json]:
        """Everything of one kind that the simulated QuickBooks holds: 'Invoice', 'Payment', 'Customer' ..."""
        found = requests.get(f"{self.simulator.url}/_control/state", timeout=10).json()
        return list(found["objects"].get(f"quickbooks.{kind}", []))


def control(simulator: Simulator, path: str, body: Json) -> Json:
    """POST to `/_control/...` and expect it to be taken."""
    answer = requests.post(f"{simulator.url}/_control/{path}", json=body, timeout=10)
    answer.raise_for_status()
    found: Json = answer.json()
    return found
