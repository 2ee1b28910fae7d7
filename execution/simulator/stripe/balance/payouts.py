"""Money that Stripe sends to the business's bank. None is sent yet. The lists are there to be asked."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.stripe.account import Account
from simulator.stripe.wire.listing import inside, same
from simulator.world import Json

PAYOUT = "payout"


def found(account: Account, params: Json) -> Iterator[Json]:
    """The payouts that a list call asks for, newest first."""
    for payout in account.newest(PAYOUT):
        dates = (inside(payout[name], params.get(name)) for name in ("created", "arrival_date"))
        if all(dates) and same(payout, params, "status", "destination"):
            yield payout
