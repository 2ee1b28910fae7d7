"""Money that Stripe sends to the business's bank. It leaves the balance when the payout begins."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.stripe.account import Account
from simulator.stripe.balance import rows
from simulator.stripe.wire.listing import inside, same
from simulator.stripe.wire.objects import shaped
from simulator.world import Json

PAYOUT = "payout"
_TRANSIT_SECONDS = 2 * 86_400
_BANK = "ba_bankofthebusiness"
_NOTHING = (
    "application_fee application_fee_amount description failure_balance_transaction failure_code failure_message"
    " original_payout payout_method reversed_by statement_descriptor trace_id"
)


def found(account: Account, params: Json) -> Iterator[Json]:
    """The payouts that a list call asks for, newest first."""
    for payout in account.newest(PAYOUT):
        dates = (inside(payout[name], params.get(name)) for name in ("created", "arrival_date"))
        if all(dates) and same(payout, params, "status", "destination"):
            yield payout


def available(account: Account, currency: str) -> int:
    """Minor units of a currency that may be paid out."""
    ready = (row for row in account.newest(rows.ROW) if row["status"] == "available")
    return sum(row["net"] for row in ready if row["currency"] == currency)


def begin(account: Account, amount: int, currency: str, at: int) -> Json:
    """Send an amount (minor units) to the bank. It arrives two days later."""
    key = account.world.identifier("po")
    payout = shaped(
        PAYOUT,
        key,
        _NOTHING,
        amount=amount,
        arrival_date=at + _TRANSIT_SECONDS,
        automatic=True,
        balance_transaction=account.world.identifier("txn"),
        created=at,
        currency=currency,
        destination=_BANK,
        livemode=False,
        metadata={},
        method="standard",
        reconciliation_status="in_progress",
        source_type="card",
        status="in_transit",
        type="bank_account",
    )
    account.save(rows.of_payout(payout["balance_transaction"], at, payout))
    account.save(payout)
    account.emit("payout.created", payout, at)
    account.agenda.add(payout["arrival_date"], "arrive", key)
    return payout


def arrive(account: Account, key: str, at: int) -> None:
    """The money reached the bank."""
    payout = account.find(PAYOUT, key)
    if payout is not None and payout["status"] == "in_transit":
        previous = {name: payout[name] for name in ("status", "reconciliation_status")}
        payout.update(status="paid", reconciliation_status="completed")
        account.save(payout)
        account.emit("payout.paid", payout, at, previous=previous)


def fail(account: Account, payout: Json, at: int) -> None:
    """The bank sent the money back: it is on the balance again, by a row of its own."""
    previous = {"status": payout["status"]}
    row = account.save(rows.of_returned_payout(account.world.identifier("txn"), at, payout))
    payout.update(status="failed", failure_balance_transaction=row["id"], failure_code="account_closed")
    account.save(payout)
    account.emit("payout.failed", payout, at, previous=previous)
