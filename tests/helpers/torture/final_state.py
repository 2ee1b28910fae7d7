"""What the world is in the end, told so that two runs can be compared.

Ids that a vendor makes at random, and times, are left out; amounts, numbers, names and counts stay.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import closing
from typing import Any

import apsw

from helpers.sale import Json, Shop
from tillbook.proof import invariants

_RANDOM_ID = re.compile(r"\b(?:(?:cs_test|cs|pi|ch|txn|evt|cus|pm|req|re)_[A-Za-z0-9]{8,}|[A-Z0-9]{17}\b)")
_TIMES = ("occurred_at", "recorded_at", "created_at")


def final_state(shop: Shop) -> Json:
    """Vendor objects, ledger, documents, messages and mails. Fails when an invariant of the ledger is broken."""
    ledger = shop.till.ledger
    assert list(invariants.broken(ledger)) == []
    unfinished = [f"{operation.key} is {operation.state}" for operation in ledger.operations.unfinished()]
    assert unfinished == [], "every operation reaches a final state"
    vendors = {"books": books(shop), "stripe": stripe(shop), "paypal": paypal(shop)}
    return {**vendors, "ledger": _ledger(shop), "mails": mails(shop)}


def situation(shop: Shop) -> str:
    """What a run that died or failed left, for telling one such situation from another: rows by state, no times."""
    parts: list[object] = [sorted(path.name for path in shop.home.iterdir() if path.is_file())]
    for table, rows in _tables(shop, *_STATES).items():
        parts.append((table, _counted(tuple(row[name] for name in _STATES[table]) for row in rows)))
    world = shop.simulator.world
    parts.append([(kind, world.count(kind)) for kind in world.kinds() if kind != "quickbooks.limits"])
    parts.append([page["status"] for page in world.all("stripe.checkout.session")])
    parts.append([page["active"] for page in world.all("stripe.payment_link")])
    parts += [[one["status"] for one in world.all(f"paypal.{kind}")] for kind in ("order", "capture", "refund")]
    return str(parts)


# What of each table makes a situation; of the others the number of rows. Activity is about commands, not about sales.
_STATES: dict[str, tuple[str, ...]] = {
    "operation": ("kind", "generation", "state", "absent_since"),
    "inbox": ("state", "attempts"),
    "document": ("state", "attempts"),
    "message": ("state", "attempts"),
    "checkout": ("status",),
    "invoice": ("quickbooks_id", "problem"),
    "form": ("state",),
    "cursor": ("name", "value"),
    **dict.fromkeys(("binding", "fact", "entry", "seal", "company", "account", "customer", "payment_invoice"), ()),
}


def books(shop: Shop) -> Json:
    """What the simulated QuickBooks holds, by number and name."""
    world = shop.simulator.world
    number = {one["Id"]: one["DocNumber"] for one in world.all("quickbooks.Invoice")}
    name = {one["Id"]: one["DisplayName"] for one in world.all("quickbooks.Customer")}
    account = {one["Id"]: one["Name"] for one in world.all("quickbooks.Account")}
    return {
        "customers": sorted(name.values()),
        "accounts": sorted(account.values()),
        "invoices": sorted(
            (one["DocNumber"], name[one["CustomerRef"]["value"]], str(one["TotalAmt"]), str(one["Balance"]))
            for one in world.all("quickbooks.Invoice")
        ),
        "payments": sorted(
            (
                str(one["TotalAmt"]),
                str(one["UnappliedAmt"]),
                account.get(one.get("DepositToAccountRef", {}).get("value", ""), ""),
                sorted(
                    number[link["TxnId"]] if link["TxnType"] == "Invoice" else link["TxnType"]
                    for line in one.get("Line", [])
                    for link in line["LinkedTxn"]
                ),
            )
            for one in world.all("quickbooks.Payment")
        ),
        "refunds": sorted(
            (kind, str(one["TotalAmt"]), [str(line["Amount"]) for line in one["Line"]])
            for kind in ("RefundReceipt", "SalesReceipt", "Purchase", "Deposit")
            for one in world.all(f"quickbooks.{kind}")
        ),
        "balances": sorted((one["Name"], str(one["CurrentBalance"])) for one in world.all("quickbooks.Account")),
    }


def stripe(shop: Shop) -> Json:
    """What the simulated Stripe holds, by invoice and amount."""
    world = shop.simulator.world
    return {
        "sessions": _counted(
            (one["metadata"].get("invoice"), one["amount_total"], one["status"], one["payment_status"])
            for one in world.all("stripe.checkout.session")
        ),
        "intents": _counted(
            (one["metadata"].get("invoice"), one["amount"], one["status"]) for one in world.all("stripe.payment_intent")
        ),
        "charges": _counted(
            (one["amount"], one["amount_refunded"], one["status"]) for one in world.all("stripe.charge")
        ),
        "refunds": _counted((one["amount"], one["status"], one["reason"]) for one in world.all("stripe.refund")),
    }


def paypal(shop: Shop) -> Json:
    """What the simulated PayPal holds. An order whose answer was lost, so that nobody has its link, brings no money."""
    world = shop.simulator.world
    known = {row["id"] for row in _tables(shop, "checkout")["checkout"]}
    return {
        "orders": _counted(
            (unit["invoice_id"].partition("/")[0], unit["amount"]["value"], one["status"])
            for one in world.all("paypal.order")
            for unit in one["purchase_units"]
            if one["id"] in known or one["status"] not in ("CREATED", "PAYER_ACTION_REQUIRED")
        ),
        "captures": _counted((one["amount"]["value"], one["status"]) for one in world.all("paypal.capture")),
        "refunds": _counted((one["amount"]["value"], one["status"]) for one in world.all("paypal.refund")),
    }


def mails(shop: Shop) -> list[Json]:
    """Each mail once, however often it arrived: at least once is what we promise, under one Message-ID.

    That ID is not told: it is made of a movement's id, which a vendor makes at random.
    """
    told = {(one["message_id"], tuple(one["to"]), one["subject"]) for one in shop.mails()}
    return sorted(list(map(str, one[1:])) for one in told)


def _ledger(shop: Shop) -> Json:
    ledger = shop.till.ledger
    rows = ledger.database
    numbers = ledger.sales.invoice_numbers()
    tables = _tables(shop, "operation", "fact", "document", "message", "checkout", "form", "inbox")
    done = [row for row in tables["operation"] if row["state"] == "done"]
    return {
        "balances": {" ".join(key): str(amount) for key, amount in sorted(ledger.facts.balances().items())},
        "of invoices": {
            number: {
                " ".join(key): str(amount) for key, amount in sorted(ledger.facts.invoice_balances(number).items())
            }
            for number in numbers
        },
        "facts": _counted((row["kind"], row["provider"], _body(row["body"])) for row in tables["fact"]),
        "done": _counted((row["kind"], masked(row["subject"])) for row in done),
        "documents": _counted(
            (row["kind"], masked(row["key"]), row["amount_minor"], row["state"]) for row in tables["document"]
        ),
        "messages": _counted(
            (row["kind"], masked(row["key"]), row["state"], row["sent_to"], row["invoice"]) for row in tables["message"]
        ),
        "checkouts": _counted((row["invoice"], row["amount_minor"], row["status"]) for row in tables["checkout"]),
        "forms": _counted((row["number"], row["state"]) for row in tables["form"]),
        # What a poll saw of an open page depends on the moment of the look.
        "inbox": _counted(
            (row["type"], row["state"]) for row in tables["inbox"] if not row["type"].startswith("order ")
        ),
        "file": rows.problems(),
    }


def _tables(shop: Shop, *names: str) -> dict[str, list[Json]]:
    """Every row of these tables: the one question that the ledger's own queries do not answer."""
    connection = apsw.Connection(str(shop.home / "ledger.db"), flags=apsw.SQLITE_OPEN_READONLY)
    connection.row_trace = lambda cursor, row: {
        column[0]: value for column, value in zip(cursor.get_description(), row, strict=True)
    }
    with closing(connection):
        return {name: list(connection.execute(f"select * from {name}")) for name in names}  # noqa: S608  our own names


def _body(text: str) -> str:
    body = {name: value for name, value in json.loads(text).items() if name not in _TIMES}
    if body.get("operation"):
        body["operation"] = "ours"  # of whichever generation: one that is proven absent is followed by another
    return masked(json.dumps(body, sort_keys=True))


def masked(text: str) -> str:
    """The text without what a vendor made at random."""
    return _RANDOM_ID.sub("*", text)


def _counted(rows: Any) -> list[str]:
    return sorted(f"{number} x {row}" for row, number in Counter(map(str, rows)).items())
