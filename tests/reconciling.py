"""Reconciliation in tests: a look, the one discrepancy, the quoted command run, and the clean look after it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from sale import Json, Ran, Till, control


def looked(till: Till, *options: str) -> Ran:
    """A look at all three, once everything is older than the lag of any vendor."""
    till.later(400)
    return till.run("reconcile_payments", *options)


def the_one(till: Till) -> Json:
    """The only discrepancy there is."""
    ran = looked(till)
    assert ran.code == 7, ran.out + ran.err
    (found,) = ran.json["discrepancies"]
    return dict(found)


def usd(minor: int) -> Json:
    return {"minor": minor, "currency": "USD"}


def ended(till: Till, found: Json) -> Ran:
    """Run the quoted command as it is typed; the next look is clean and every proof holds."""
    python, script, *arguments = shlex.split(found["repair"])
    assert python == "python"
    ran = till.run(Path(script).stem, *arguments)
    assert ran.code == 0, ran.out + ran.err
    clean(till)
    return ran


def clean(till: Till) -> Json:
    """Nothing is left, and every proof is equal."""
    ran = looked(till)
    assert ran.code == 0, ran.out + ran.err
    assert ran.json["discrepancies"] == []
    assert [proof for proof in ran.json["proofs"] if proof["difference"]["minor"]] == []
    return ran.json


def two_sales(till: Till) -> tuple[str, str]:
    """Two sales all the way: so that a statement without one of them is not empty."""
    return till.finished("INV-1"), till.finished("INV-2")


def plant(till: Till, vendor: str, kind: str, key: str, **changes: object) -> None:
    """Change an object behind everybody's back, or let it vanish."""
    what: Json = {"set": changes} if changes else {"forget": True}
    control(till.simulator, "plant", {"vendor": vendor, "kind": kind, "id": key, **what})


def row_of(till: Till, payment: str) -> Json:
    """The row of a payment's charge on Stripe's statement."""
    world = till.simulator.world
    charge = next(one for one in world.all("stripe.charge") if one["payment_intent"] == payment)
    found = world.get("stripe.balance_transaction", charge["balance_transaction"])
    assert found is not None
    return found


def refunded(till: Till, payment: str, *options: str) -> Json:
    """A refund of ours, in the books too."""
    found = till.run("refund_payment", payment, *options).json
    assert till.run("run_pending").code == 0
    return found


def create(till: Till, kind: str, body: Json) -> str:
    """A record that somebody makes through QuickBooks' API."""
    connection = till.shop.books.connection
    made = connection.call(lambda client: client.create_object(kind, json.dumps(body).encode()))
    return str(made[kind]["Id"])


def delete(till: Till, kind: str, key: str) -> None:
    """A person deletes a record in QuickBooks."""
    (row,) = (one for one in till.books(kind) if one["Id"] == key)
    body = json.dumps({"Id": key, "SyncToken": row["SyncToken"]}).encode()
    till.shop.books.connection.call(lambda client: client.delete_object(kind, body))
