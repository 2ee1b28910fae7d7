"""Whose a movement is and what it was, asked of the simulated world itself: ours, or a stranger's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulator.rough.strangers import owned
from simulator.world import World

Json = dict[str, Any]
Origin = tuple[str, str]
OURS, STRANGER, NOBODY = "ours", "stranger", "nobody"
UNKNOWN: Origin = (NOBODY, "unknown")
HOME = "usd"
_STRIPE_ROWS = {
    "charge": "payment",
    "refund": "refund",
    "refund_failure": "refund",
    "dispute": "dispute",
    "dispute_reversal": "dispute",
    "payout": "payout",
    "payout_reversal": "returned payout",
    "fee": "fee",
}
_PAYPAL_CODES = {
    "T0006": "payment",
    "T1107": "refund",
    "T1106": "refund",
    "T0200": "conversion",
    "T1201": "dispute",
    "T1202": "dispute",
    "T0106": "dispute",
    "T0107": "fee",
}
# What nothing that Tillbook does can book yet, so that a person must hear of each.
NOT_BOOKED = ("dispute", "conversion", "fee", "returned payout", "transfer")


def origins(world: World) -> dict[str, Origin]:
    """Whose it is and what it is, by every name that a discrepancy may have for it."""
    return {**dict(_stripe(world)), **dict(_paypal(world))}


def not_booked(world: World, until: int) -> set[str]:
    """What must be told of by its name: each row until a time (UTC seconds) that becomes no entry."""
    known = origins(world)
    rows = [(str(row["id"]), int(row["created"])) for row in world.all("stripe.balance_transaction")]
    rows += [(_paypal_name(row), int(row["at"])) for row in world.all("paypal.transaction")]
    told = {name for name, at in rows if at <= until and known[name][1] in NOT_BOOKED}
    for charge in world.all("stripe.charge"):
        if not charge["balance_transaction"] or charge["created"] > until:
            continue
        if charge["payment_intent"] is None:  # nothing can be read by it: its row is all that there is
            told.add(charge["balance_transaction"])
        elif charge["currency"] != HOME:
            told.add(charge["id"])
    return told


def _stripe(world: World) -> Iterator[tuple[str, Origin]]:
    theirs = {key for vendor, _, key in owned(world) if vendor == "stripe"}
    whose = {str(charge["id"]): STRANGER if charge["id"] in theirs else OURS for charge in world.all("stripe.charge")}
    for charge in world.all("stripe.charge"):
        yield charge["id"], (whose[charge["id"]], "payment")
        if charge["payment_intent"]:
            yield charge["payment_intent"], (whose[charge["id"]], "payment")
    of_charge = {str(one["id"]): one["charge"] for kind in ("refund", "dispute") for one in world.all(f"stripe.{kind}")}
    for refund in world.all("stripe.refund"):
        yield refund["id"], (whose[refund["charge"]], "refund")
    for dispute in world.all("stripe.dispute"):
        yield dispute["id"], (whose[dispute["charge"]], "dispute")
    for row in world.all("stripe.balance_transaction"):
        source = row["source"]
        owner = whose.get(of_charge.get(source, source), STRANGER)
        for name in (row["id"], f"{row['id']}:fee"):
            yield name, (owner, _STRIPE_ROWS[row["reporting_category"]])
    for event in world.all("stripe.event"):
        thing = event["data"]["object"]
        about = thing.get("charge") or thing["id"]
        yield event["id"], (whose.get(about, STRANGER if thing.get("payment_intent") is None else OURS), "event")


def _paypal(world: World) -> Iterator[tuple[str, Origin]]:
    theirs = {key for vendor, _, key in owned(world) if vendor == "paypal"}
    captures = {str(one["id"]): STRANGER if one["id"] in theirs else OURS for one in world.all("paypal.capture")}
    for order in world.all("paypal.order"):
        yield order["id"], (STRANGER if order["id"] in theirs else OURS, "payment")
    for key, owner in captures.items():
        yield key, (owner, "payment")
    for dispute in world.all("paypal.dispute"):
        capture = dispute["disputed_transactions"][0]["seller_transaction_id"]
        yield dispute["dispute_id"], (captures.get(capture, STRANGER), "dispute")
    refunds = {str(one["id"]): captures[_above(one)] for one in world.all("paypal.refund")}
    for row in world.all("paypal.transaction"):
        known = {**captures, **refunds}
        owner = known.get(row["transaction_id"]) or known.get(row["reference_id"] or "", STRANGER)
        yield _paypal_name(row), (owner, _PAYPAL_CODES.get(row["code"], "transfer"))


def _above(refund: Json) -> str:
    return next(str(link["href"]).rpartition("/")[2] for link in refund["links"] if link["rel"] == "up")


def _paypal_name(row: Json) -> str:
    """The name of a row in the comparison: what may be a payment or a refund has no code in it."""
    plain = row["code"] == "T1107" or (row["code"].startswith("T00") and row["amount_minor"] > 0)
    return str(row["transaction_id"]) if plain else f"{row['transaction_id']}:{row['code']}"
