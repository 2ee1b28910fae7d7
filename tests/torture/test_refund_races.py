"""C10: many processes refund the same payments at once, and no capture is exceeded at any moment."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import requests

from helpers.ledgers import operation_states
from helpers.refunding import state
from helpers.running.processes import Processes
from helpers.running.tally import LONG, SEED, Tally
from helpers.sale import Shop
from tillbook.proof import invariants
from tillbook.recording.facts import record_reading
from tillbook.rules.operations import Plan
from tillbook.vendors.stripe.declaration import SECRET_KEY

PROCESSES = 8
PAYMENTS, ATTEMPTS = (500, 2000) if LONG else (30, 60)
CAPTURED = 1000
WORKER = str(Path(__file__).parents[1] / "helpers/torture/refund_worker")


def captured(shop: Shop, number: int) -> list[str]:
    """So many payments of 10.00, each of its own invoice, known to the ledger; made without the steps, for speed."""
    stripe, ledger, provider = f"{shop.simulator.url}/stripe", shop.till.ledger, shop.till.provider("stripe")
    key = shop.till.settings[SECRET_KEY]
    made = []
    for _ in range(number):
        form = {
            "mode": "payment",
            "success_url": "https://till.example/",
            "line_items[0][quantity]": "1",
            "line_items[0][price_data][currency]": "usd",
            "line_items[0][price_data][unit_amount]": str(CAPTURED),
            "line_items[0][price_data][product_data][name]": "Race",
        }
        session = requests.post(f"{stripe}/v1/checkout/sessions", data=form, auth=(key, ""), timeout=10).json()
        made.append(str(shop.pay(session["id"])["payment_intent"]))
    shop.later(60)
    for payment in made:
        reading = provider.read(payment)
        with ledger.transaction():
            record_reading(ledger, "stripe", reading, shop.till.clock.now())
    return made


@pytest.mark.timeout(7200 if LONG else 240)
def test_c10_eight_processes_never_give_back_more_than_was_captured(
    shop: Shop, processes: Processes, tally: Tally
) -> None:
    """Stripe never has to refuse one, what it holds fits every capture at each moment, every operation has its end.

    Mixed amounts under references of their own: 8 x 60 attempts over 30 payments, in the long form 8 x 2,000 over 500.
    """
    payments = captured(shop, PAYMENTS)
    file = shop.home / "payments.json"
    file.write_text(json.dumps(payments))
    workers = [(WORKER, str(SEED), str(ATTEMPTS), f"p{number}", str(file)) for number in range(PROCESSES)]
    ended: Counter[str] = Counter()
    for ran in processes.run(*workers):
        assert ran.code == 0, ran.err
        ended.update(json.loads(ran.out))
    assert set(ended) <= {"done", "3", "4"}, ended
    assert sum(ended.values()) == PROCESSES * ATTEMPTS
    assert ended["done"] >= PAYMENTS
    _no_capture_was_exceeded(shop, ended["done"])
    _the_ledger_agrees(shop, payments)
    tally("refund_payment, mixed", "races", PROCESSES * ATTEMPTS)


def _no_capture_was_exceeded(shop: Shop, done: int) -> None:
    """In the order in which Stripe made them: no request was one too much, none was refused, none was made twice."""
    refunds = state(shop)["objects"]["stripe.refund"]
    assert len(refunds) == done
    assert len({one["metadata"]["operation"] for one in refunds}) == done
    returned: Counter[str] = Counter()
    for one in refunds:
        returned[one["payment_intent"]] += one["amount"]
        assert returned[one["payment_intent"]] <= CAPTURED
    asked = shop.requests("stripe", "POST", "/refunds")
    assert {row["status"] for row in asked} == {200}
    assert len({row["idempotency_key"] for row in asked}) == done


def _the_ledger_agrees(shop: Shop, payments: list[str]) -> None:
    """Every operation has its final state and its fact; what remains is what Stripe would still give back."""
    ledger = shop.till.ledger
    assert ledger.operations.unfinished() == []
    assert operation_states(shop.till.settings.ledger) <= {"done"}
    assert ledger.outflows.over_returned() == []
    assert list(invariants.broken(ledger)) == []
    at_stripe = {one["payment_intent"]: one["amount_refunded"] for one in state(shop)["objects"]["stripe.charge"]}
    for payment in payments:
        found = ledger.outflows.refundable("stripe", payment, "USD")
        assert (found.captured.minor, found.pending.minor) == (CAPTURED, 0)
        assert found.returned.minor == at_stripe[payment]


def test_c10_the_loser_of_a_race_is_refused_by_the_database(shop: Shop) -> None:
    """Both looked when 10.00 remained; the second to prepare is refused although its look said that it fits."""
    from tillbook.kit.errors import Refused
    from tillbook.kit.money import Money
    from tillbook.operations.kinds.refunds.refund_payment import RefundRequest

    (payment,) = captured(shop, 1)
    plans: list[Plan] = [
        shop.till.provider("stripe").plan_refund(
            RefundRequest(payment, "", Money(700, "USD"), "duplicate", name, "sale")
        )
        for name in ("one", "two")
    ]
    ledger, now = shop.till.ledger, shop.till.clock.now()
    with ledger.transaction():
        ledger.operations.prepare(plans[0], renew="", asked_by="one", now=now)
    with ledger.transaction(), pytest.raises(Refused, match="more would be given back"):
        ledger.operations.prepare(plans[1], renew="", asked_by="two", now=now)
