"""A ledger that was restored from a copy does nothing twice: what the vendors show ends what it has forgotten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from helpers.refunding import at_stripe, documents, ended, state
from helpers.sale import Shop
from tillbook.kit.clock import rfc3339
from tillbook.till import open_till

HOUR = 3600


def copied(shop: Shop) -> bytes:
    """The ledger file as a nightly copy has it."""
    shop.till.ledger.database.copy_to(Path(f"{shop.till.settings.ledger}.copy"))
    copy = Path(f"{shop.till.settings.ledger}.copy").read_bytes()
    Path(f"{shop.till.settings.ledger}.copy").unlink()
    return copy


def restored(shop: Shop, copy: bytes) -> None:
    """The copy in the place of the ledger, without the log of the one that is lost."""
    shop.till.close()
    file = shop.till.settings.ledger
    for end in ("-wal", "-shm"):
        Path(f"{file}{end}").unlink(missing_ok=True)
    file.write_bytes(copy)
    shop.till = open_till()


def forget_requests(shop: Shop) -> None:
    """QuickBooks repeats no answer any more. How long it does so is not documented."""
    for row in shop.requests("quickbooks", "POST"):
        shop.simulator.world.delete("quickbooks.requestid", str(row["idempotency_key"]))


def given_back(shop: Shop) -> list[str]:
    """Every refund that Stripe and PayPal hold."""
    held = state(shop)["objects"]
    at_stripe = [str(one["amount"]) for one in held.get("stripe.refund", [])]
    return sorted(at_stripe + [str(one["amount"]["value"]) for one in held.get("paypal.refund", [])])


def paid_at_stripe(shop: Shop) -> str:
    return shop.finished()


def paid_at_paypal(shop: Shop) -> str:
    page = shop.approved()
    for _ in range(2):
        shop.later(61)
        assert shop.run("run_pending").code == 0
    return page


AGES = [HOUR, 2 * HOUR, 20 * HOUR, 50 * HOUR, 20 * 24 * HOUR, 50 * 24 * HOUR]


@pytest.mark.parametrize("options", [("--amount", "20.00"), (), ("--amount", "20.00", "--reference", "RMA-7")])
@pytest.mark.parametrize("paid", [paid_at_stripe, paid_at_paypal])
@pytest.mark.parametrize("age", [HOUR, 50 * HOUR, 50 * 24 * HOUR])
def test_f5_a_refund_that_the_ledger_forgot_is_found(
    shop: Shop, paid: Callable[[Shop], str], age: int, options: tuple[str, ...]
) -> None:
    """The same command after a restore says 'already done' and names the refund that was made; nothing goes out."""
    payment = paid(shop)
    copy = copied(shop)
    first = shop.run("refund_payment", payment, *options).json
    made = given_back(shop)
    shop.later(age)
    restored(shop, copy)
    again = shop.run("refund_payment", payment, *options)
    assert again.code == 0, again.err
    assert again.json == first | {"already_done": True}
    assert given_back(shop) == made
    assert shop.run("refund_payment", payment, *options).json == again.json


@pytest.mark.parametrize(
    ("paid", "vendor", "path"),
    [(paid_at_stripe, "stripe", "*/refunds"), (paid_at_paypal, "paypal", "*/orders/*")],
)
@pytest.mark.parametrize("skip", range(6))
def test_f5_a_refund_that_was_found_is_never_sent_although_a_read_fails_after_that(
    shop: Shop, paid: Callable[[Shop], str], vendor: str, path: str, skip: int
) -> None:
    """The provider is silent from any of its reads on, and has forgotten the key: the next run looks, too."""
    payment = paid(shop)
    copy = copied(shop)
    first = shop.run("refund_payment", payment, "--amount", "20.00").json
    made = given_back(shop)
    shop.later(50 * HOUR)
    restored(shop, copy)
    shop.fail(vendor, path, "500", method="GET", times=3, skip=skip)
    assert shop.run("refund_payment", payment, "--amount", "20.00").code in (0, 4, 5)
    requests.delete(f"{shop.simulator.url}/_control/faults", timeout=10)
    again = shop.run("refund_payment", payment, "--amount", "20.00")
    assert (again.code, again.json["refund"]) == (0, first["refund"]), again.err
    assert given_back(shop) == made


def test_f5_a_later_attempt_that_the_ledger_forgot_is_found(shop: Shop) -> None:
    """The first refund of everything failed at the bank, the second one arrived: the ledger of before knows neither."""
    payment = shop.finished()
    copy = copied(shop)
    failed = shop.run("refund_payment", payment).json["refund"]
    ended(shop, failed, "failed")
    shop.run("run_pending")
    arrived = shop.run("refund_payment", payment, "--again").json["refund"]
    shop.later(50 * HOUR)
    restored(shop, copy)
    found = shop.run("refund_payment", payment)
    assert (found.code, found.json["refund"], found.json["already_done"]) == (0, arrived, True), found.err
    assert at_stripe(shop)[0] == 6000


def test_f5_another_amount_for_a_reference_that_the_ledger_forgot_is_refused(shop: Shop) -> None:
    """A reference means what it meant before the ledger was lost: exit 3 with both amounts, and nothing goes out."""
    payment = shop.finished()
    copy = copied(shop)
    shop.run("refund_payment", payment, "--amount", "20.00", "--reference", "RMA-7")
    restored(shop, copy)
    other = shop.run("refund_payment", payment, "--amount", "30.00", "--reference", "RMA-7")
    assert other.code == 3
    assert "20.00 USD was given back for this reference, and not 30.00 USD" in other.err
    assert given_back(shop) == ["2000"]


def test_f5_a_page_that_the_ledger_forgot_is_the_page_again(shop: Shop) -> None:
    """An open page is found. One of another amount is closed, and the next one asks for what is open now."""
    shop.invoiced()
    copy = copied(shop)
    first = shop.run("create_checkout", "INV-1001").json
    restored(shop, copy)
    found = shop.run("create_checkout", "INV-1001").json
    assert found == first | {"already_done": True}
    shop.paid_at_the_counter("INV-1001", "25.00")
    restored(shop, copy)
    other = shop.run("create_checkout", "INV-1001").json
    assert (other["amount"]["minor"], other["already_done"]) == (3500, False)
    pages = state(shop)["objects"]["stripe.checkout.session"]
    assert sorted((page["amount_total"], page["status"]) for page in pages) == [(3500, "open"), (6000, "expired")]


def test_f5_a_page_that_was_paid_meanwhile_is_not_offered_again(shop: Shop) -> None:
    """The ledger knows neither the page nor its payment: there is nothing open, and the money is taken in."""
    shop.invoiced()
    copy = copied(shop)
    shop.pay(shop.run("create_checkout", "INV-1001").json["checkout_id"])
    shop.later(HOUR)
    restored(shop, copy)
    assert shop.run("create_checkout", "INV-1001").code == 3
    assert len(state(shop)["objects"]["stripe.checkout.session"]) == 1


@pytest.mark.parametrize("age", AGES)
def test_f5_a_whole_sale_that_the_ledger_forgot_is_taken_in_and_nothing_is_made_twice(shop: Shop, age: int) -> None:
    """Paid, refunded in part and booked after the copy: every step again leaves Stripe and QuickBooks as they were."""
    shop.invoiced()
    copy, day = copied(shop), rfc3339(shop.till.clock.now() - 24 * HOUR)[:10]  # in any zone
    payment = shop.finished()
    shop.run("refund_payment", payment, "--amount", "20.00")
    shop.later(61)
    assert shop.run("run_pending").code == 0
    before = documents(shop), given_back(shop), len(shop.books("Invoice")), len(shop.books("Customer"))
    shop.later(age)
    forget_requests(shop)
    restored(shop, copy)
    for step in (("create_invoice", shop.order()), ("run_pending",), ("reconcile_payments", "--repair", "--from", day)):
        shop.run(*step)
        shop.later(61)
    shop.run("refund_payment", "INV-1001", "--amount", "20.00")
    shop.run("run_pending")
    assert (documents(shop), given_back(shop), len(shop.books("Invoice")), len(shop.books("Customer"))) == before
    assert shop.till.ledger.sales.match_of("stripe", payment) == "INV-1001"
