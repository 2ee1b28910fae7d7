"""Reconciliation in tests: a look, the one discrepancy, the quoted command run, and the clean look after it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from helpers.sale import Json, Ran, Shop, control


def looked(shop: Shop, *options: str) -> Ran:
    """A look at all three, once everything is older than the lag of any vendor."""
    shop.later(400)
    return shop.run("reconcile_payments", *options)


def the_one(shop: Shop) -> Json:
    """The only discrepancy there is."""
    ran = looked(shop)
    assert ran.code == 7, ran.out + ran.err
    (found,) = ran.json["discrepancies"]
    return dict(found)


def usd(minor: int) -> Json:
    return {"minor": minor, "currency": "USD"}


def ended(shop: Shop, found: Json) -> Ran:
    """Run the quoted command as it is typed, or accept what a person decides; the next look is clean."""
    assert found["needs_person"] == (found["repair"] == "")
    decided = shlex.join(["--accept", found["subject"], "--because", "Stripe support, case 7"])
    python, script, *arguments = shlex.split(found["repair"] or f"python reconcile_payments.py {decided}")
    assert python == "python"
    ran = shop.run(Path(script).stem, *arguments)
    assert ran.code == 0, ran.out + ran.err
    clean(shop)
    return ran


def clean(shop: Shop) -> Json:
    """Nothing is left, and every proof is equal."""
    ran = looked(shop)
    assert ran.code == 0, ran.out + ran.err
    assert ran.json["discrepancies"] == []
    assert [proof for proof in ran.json["proofs"] if proof["difference"]["minor"]] == []
    return ran.json


def two_sales(shop: Shop) -> tuple[str, str]:
    """Two sales all the way: so that a statement without one of them is not empty."""
    return shop.finished("INV-1"), shop.finished("INV-2")


def plant(shop: Shop, vendor: str, kind: str, key: str, **changes: object) -> None:
    """Change an object behind everybody's back, or let it vanish."""
    what: Json = {"set": changes} if changes else {"forget": True}
    control(shop.simulator, "plant", {"vendor": vendor, "kind": kind, "id": key, **what})


def row_of(shop: Shop, payment: str) -> Json:
    """The row of a payment's charge on Stripe's statement."""
    world = shop.simulator.world
    charge = next(one for one in world.all("stripe.charge") if one["payment_intent"] == payment)
    found = world.get("stripe.balance_transaction", charge["balance_transaction"])
    assert found is not None
    return found


def refunded(shop: Shop, payment: str, *options: str) -> Json:
    """A refund of ours, in the books too."""
    found = shop.run("refund_payment", payment, *options).json
    assert shop.run("run_pending").code == 0
    return found


def create(shop: Shop, kind: str, body: Json) -> str:
    """A record that somebody makes through QuickBooks' API."""
    connection = shop.till.books.connection
    made = connection.call(lambda client: client.create_object(kind, json.dumps(body).encode()))
    return str(made[kind]["Id"])


def delete(shop: Shop, kind: str, key: str) -> None:
    """A person deletes a record in QuickBooks."""
    (row,) = (one for one in shop.books(kind) if one["Id"] == key)
    body = json.dumps({"Id": key, "SyncToken": row["SyncToken"]}).encode()
    shop.till.books.connection.call(lambda client: client.delete_object(kind, body))
