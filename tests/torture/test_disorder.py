"""Events in every order, lost, repeated, late and mixed with strangers: the whole product ends in the same place.

The life of the sale: an invoice of 60.00 that somebody made in QuickBooks by hand; its page is paid; the total is
raised to 100.00, by hand too; a second page for the other 40.00 is paid while the process that made it is dead, so the
ledger does not know that page yet.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from helpers.running.tally import LONG, SEED, Tally
from helpers.sale import Json, Shop
from helpers.torture.scenarios import DONE, READ_LAG, ROUND, Scenario, Stage, died_on_answer
from tillbook.money_in import inbox
from tillbook.till import open_till
from tillbook.vendors.stripe.webhooks.events import read_event

NAME = "events in disorder"
SIX = ("payment_intent.succeeded", "checkout.session.completed", "charge.updated")
STRANGERS = ("another account", "live mode", "unknown type", "thin", "of nothing")
Step = tuple[str, int, int]


def _life(shop: Shop) -> None:
    shop.invoiced("INV-0")
    _made_by_hand(shop, "INV-1")
    shop.pay(shop.run("create_checkout", "INV-1").json["checkout_id"])
    _raise_total(shop, "INV-1", 100)
    died_on_answer(shop, "create_checkout", "INV-1")
    second = next(one for one in shop.simulator.world.all("stripe.checkout.session") if one["amount_total"] == 4000)
    shop.pay(second["id"])


def _made_by_hand(shop: Shop, number: str) -> None:
    """Somebody copies INV-0 in QuickBooks: the same customer, the same 60.00."""
    (first,) = shop.books("Invoice")
    copied = {name: first[name] for name in ("CustomerRef", "BillEmail", "CurrencyRef", "TxnDate", "DueDate")}
    lines = [line for line in first["Line"] if line["DetailType"] == "SalesItemLineDetail"]
    shop.entered_by_hand("Invoice", {**copied, "DocNumber": number, "Line": lines})


def _raise_total(shop: Shop, number: str, dollars: int) -> None:
    """Somebody changes the price in QuickBooks."""
    invoice = next(one for one in shop.books("Invoice") if one["DocNumber"] == number)
    line = invoice["Line"][0]
    line = {**line, "Amount": dollars, "SalesItemLineDetail": {**line["SalesItemLineDetail"], "UnitPrice": dollars * 2}}
    changed = {name: invoice[name] for name in ("Id", "SyncToken", "CustomerRef")} | {"sparse": True, "Line": [line]}
    shop.entered_by_hand("Invoice", changed)


@dataclass
class Sale:
    """The sale before anybody heard of its payments, every event of them, and the end it must come to."""

    stage: Stage
    events: list[bytes]
    end: Json

    @property
    def shop(self) -> Shop:
        return self.stage.shop

    def told(self, steps: Sequence[Step]) -> Json:
        """The state after these steps, and after cron came once more when they were over."""
        self.stage.back()
        self.shop.till = open_till()
        for what, number, times in steps:
            getattr(self, f"_{what}")(number, times)
        return self._end()

    def six(self) -> list[int]:
        """The events of the two payments that mean something, but one of each payment's that say the same."""
        return [number for number, body in enumerate(self.events) if json.loads(body)["type"] in SIX]

    def _deliver(self, number: int, times: int) -> None:
        self._keep([self._event(number)] * times)

    def _stranger(self, number: int, times: int) -> None:
        how = STRANGERS[number % len(STRANGERS)]
        self._keep([_strange(self._event(number), how, copy) for copy in range(times)])

    def _older_version(self, number: int, times: int) -> None:
        old = {**json.loads(self._event(number)), "api_version": "2020-08-27"}
        self._keep([json.dumps({**old, "id": f"evt_old{number}x{copy}"}).encode() for copy in range(times)])

    def _process(self, number: int, times: int) -> None:
        inbox.process(self.shop.till, limit=1 + number % 3)

    def _cron(self, number: int, times: int) -> None:
        assert self.shop.run(*ROUND).code == DONE

    def _wait(self, number: int, times: int) -> None:
        self.shop.later(number * 10)

    def _event(self, number: int) -> bytes:
        return self.events[number % len(self.events)]

    def _keep(self, bodies: list[bytes]) -> None:
        """What the receiver does with bodies that were verified."""
        till = self.shop.till
        with till.ledger.transaction():
            for body in bodies:
                till.ledger.inbox.add(read_event(body), source="webhook", now=till.clock.now())

    def _end(self) -> Json:
        """The state but for the inbox, which tells what was heard and how often."""
        state = self.stage.end()
        assert not [row for row in state["ledger"].pop("inbox") if "'new'" in row], "every event came to an end"
        return state


def _strange(body: bytes, how: str, copy: int) -> bytes:
    event = {**json.loads(body), "id": f"evt_{how.replace(' ', '')}{copy}"}
    if how == "another account":
        event["account"] = "acct_somebodyelse"
    elif how == "live mode":
        event["livemode"] = True
    elif how == "unknown type":
        event["type"] = "payment_intent.teleported"
    elif how == "of nothing":
        event |= {"type": "payment_intent.succeeded", "data": {"object": {"id": "pi_0123456789abcdef01234567"}}}
    else:
        event = {
            "id": event["id"],
            "object": "v2.core.event",
            "type": "v1.billing.meter.no_meter_found",
            "created": "2026-11-23T00:00:00Z",
            "livemode": False,
        }
    return json.dumps(event).encode()


@pytest.fixture
def sale(shop: Shop) -> Sale:
    """The prepared sale, with the end that polling alone reaches: no webhook ever came."""
    stage = Stage(shop, Scenario(NAME, ROUND, _life))
    shop.later(READ_LAG)
    events = [json.dumps(event).encode() for event in shop.simulator.world.all("stripe.event")]
    prepared = Sale(stage, events, {})
    stage.prepared = stage.kept()
    prepared.end = prepared.told([])
    return prepared


def test_inv4_polling_alone_reaches_the_end_that_a_person_worked_out(sale: Sale) -> None:
    """100.00 received, fees 2.04 + 1.46; only INV-0 is still owed; two payments in QuickBooks, two receipts."""
    assert sale.end["ledger"]["balances"] == {
        "Processing Fees USD": "3.50 USD",
        "Receivable USD": "60.00 USD",
        "Revenue USD": "-160.00 USD",
        "Stripe Clearing USD": "96.50 USD",
    }
    assert [payment[:3] for payment in sale.end["books"]["payments"]] == [
        ("40.00", "0.00", "Stripe Clearing (USD)"),
        ("60.00", "0.00", "Stripe Clearing (USD)"),
    ]
    assert [invoice[2:] for invoice in sale.end["books"]["invoices"]] == [("60.00", "60.00"), ("100.00", "0.00")]
    assert len(sale.end["mails"]) == 2


@pytest.mark.timeout(1800 if LONG else 120)
def test_b7_every_order_of_six_events_has_the_same_end(sale: Sale, tally: Tally) -> None:
    """Payment, page and fee of both payments, one after the other, in all 720 orders (a sample in the short form)."""
    six = sale.six()
    assert len(six) == 6
    orders = list(itertools.permutations(six))
    for order in orders if LONG else random.Random(SEED).sample(orders, 8):
        steps: list[Step] = [step for number in order for step in (("deliver", number, 1), ("process", 2, 1))]
        assert sale.told(steps) == sale.end, order
        tally(NAME, "disorders", 1)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["deliver", "deliver", "older_version"]), st.integers(0, 30), st.integers(1, 20)),
        st.tuples(st.sampled_from(["process", "wait", "stranger", "cron"]), st.integers(0, 30), st.integers(1, 3)),
    ),
    max_size=8,
)


@seed(SEED)
@settings(
    max_examples=2000 if LONG else 12,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
@pytest.mark.timeout(7200 if LONG else 120)
def test_b20_lost_repeated_late_and_strange_events_change_nothing(sale: Sale, tally: Tally, steps: list[Step]) -> None:
    """Some events come up to twenty times, some never, some of an older version, some from strangers."""
    assert sale.told(steps) == sale.end
    tally(NAME, "disorders", 1)
