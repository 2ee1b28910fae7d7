"""The books on their stage: a simulated QuickBooks company, a home folder, and the operations that tests send."""

from __future__ import annotations

import fcntl
import itertools
import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from simulator.server import Simulator
from tillbook.kit import settings as settings_room
from tillbook.kit.clock import Clock
from tillbook.kit.settings import Settings
from tillbook.rules.operations import Operation, Plan, operation_id
from tillbook.vendors.quickbooks.books import QuickBooksOnline
from tillbook.vendors.quickbooks.tokens import TokenFile, Tokens

Json = dict[str, Any]
ADDRESS = {
    "line1": "1 Main St",
    "line2": "",
    "city": "Austin",
    "state": "TX",
    "postal_code": "78701",
    "country": "US",
}

_numbers = itertools.count(1)


class HurriedClock(Clock):
    """The clock of the simulated world, which notes every wait instead of waiting."""

    def __init__(self, offset_file: Path | None = None) -> None:
        super().__init__(offset_file)
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@dataclass
class Stage:
    """One home folder beside a running simulator."""

    simulator: Simulator
    settings: Settings
    clock: HurriedClock

    @property
    def token_file(self) -> Path:
        return self.settings.home / "quickbooks-token.json"

    def books(self, **changes: Any) -> QuickBooksOnline:
        """The door under these settings, changed where a test says so."""
        settings = replace(self.settings, **changes)
        return QuickBooksOnline(settings, self.clock, file_lock(settings.home))

    def connected(self, address: str, **changes: Any) -> QuickBooksOnline:
        """The door in front of another vendor, with an access token that is good for an hour."""
        now = self.clock.now()
        tokens = Tokens(self.settings.quickbooks_realm_id, "refresh", "access", now + 3600, now + 86_400, now)
        TokenFile(self.settings.home).write(tokens)
        return self.books(quickbooks_api_base=address, **changes)

    def path(self, end: str) -> str:
        """The company's own path at QuickBooks."""
        return f"/v3/company/{self.settings.quickbooks_realm_id}/{end}"

    def control(self, path: str, body: Json) -> Json:
        return _ask(f"{self.simulator.url}/_control/{path}", body)

    def fault(self, kind: str, path: str, *, method: str = "POST", times: int = 1) -> None:
        """The next `times` requests to this path below the company (or this path, when it begins with /) fail so."""
        full = path if path.startswith("/") else f"/v3/company/*/{path}"
        self.control("faults", {"vendor": "quickbooks", "method": method, "path": full, "kind": kind, "times": times})

    def advance(self, seconds: int) -> None:
        self.control("clock", {"advance_seconds": seconds})

    def mark(self) -> int:
        """Where the request log stands now, for `requests`."""
        entries = self.requests(0)
        return int(entries[-1]["number"]) if entries else 0

    def requests(self, since: int, ending: str = "") -> list[Json]:
        """What was asked of QuickBooks after a mark, at paths with this end."""
        entries: list[Json] = _ask(f"{self.simulator.url}/_control/requests?since={since}")["requests"]
        return [one for one in entries if one["vendor"] == "quickbooks" and one["path"].endswith(ending)]


def open_stage(simulator: Simulator, home: Path) -> Stage:
    """A fresh home folder for a simulator that may serve many; the caller has set TILLBOOK_HOME to it."""
    home.mkdir(exist_ok=True)
    (home / "simulator.json").write_text(json.dumps({"state": str(simulator.world.folder)}))
    settings = settings_room.load({})
    return Stage(simulator, settings, HurriedClock(settings.clock_file))


def file_lock(home: Path) -> Any:
    """A lock between processes and threads, as the ledger's: the system frees it with its process."""

    @contextmanager
    def lock(name: str) -> Iterator[None]:
        with (home / f"{name}.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    return lock


def operation(kind: str, params: Json, *, subject: str = "") -> Operation:
    """An operation that was just marked sent. Without a subject it is one of its own."""
    subject = subject or f"{kind} {next(_numbers)}"
    plan = Plan(kind, subject, "quickbooks", params)
    return Operation(
        id=operation_id(kind, subject, 1),
        kind=kind,
        subject=subject,
        generation=1,
        door="quickbooks",
        params=params,
        params_hash=plan.params_hash,
        state="sent",
        result=None,
        reason="",
        prepared_at=0,
        sent_at=0,
        absent_since=None,
    )


def new_account(name: str = "Stripe Clearing (USD)", currency: str = "USD") -> Operation:
    params = {"name": name, "type": "Bank", "subtype": "CashOnHand", "currency": currency}
    return operation("create_account", params, subject=name)


def new_customer(name: str = "", currency: str = "USD") -> Operation:
    name = name or f"Customer {next(_numbers)}"
    params = {"name": name, "full_name": name, "email": "c@example.com", "currency": currency, "address": ADDRESS}
    return operation("create_customer", params)


def new_invoice(customer: str, number: str = "", *, price: str = "120.00", **changes: Any) -> Operation:
    """An invoice over one hour of consulting (item 3), untaxed."""
    line = {
        "description": "Consulting",
        "item_id": "3",
        "quantity": "1",
        "unit_price": price,
        "amount": price,
        "taxable": False,
    }
    params = {
        "number": number or f"T-{next(_numbers)}",
        "customer_id": customer,
        "currency": "USD",
        "date": "2026-11-23",
        "due": "2027-01-31",
        "memo": "Thank you",
        "email": "c@example.com",
        "address": ADDRESS,
        "lines": [line],
        "discount": None,
    }
    return operation("create_invoice", {**params, **changes})


def new_payment(customer: str, account: str, amount: str, **applied: str) -> Operation:
    """A payment; `applied` are the amounts by invoice id, as `i12="60.00"`."""
    params = {
        "customer_id": customer,
        "currency": "USD",
        "amount": amount,
        "date": "2026-11-23",
        "deposit_account_id": account,
        "applied": [{"invoice_id": key[1:], "amount": part} for key, part in applied.items()],
        "note": "pi_1 ch_1",
    }
    return operation("post_payment", params)


def _ask(url: str, body: Json | None = None) -> Json:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=data, headers=headers)  # noqa: S310  our own simulator
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        found: Json = json.loads(answer.read())
    return found
