"""A connection that is dead for a day: nothing was wrong with what waits, so nothing of it fails."""

from __future__ import annotations

import json
from pathlib import Path

from helpers.sale import Shop
from tillbook.rules.orders import order_json, parse_order
from tillbook.sales import invoices

DAY = 86_400
NUMBERS = ("INV-1", "INV-2", "INV-3")


def disconnected(shop: Shop) -> Path:
    """The owner took the app's access away: neither token is taken any more."""
    file = shop.home / "quickbooks-token.json"
    tokens = json.loads(file.read_text())
    file.write_text(json.dumps({**tokens, "access_token": "gone", "refresh_token": "gone"}))
    return file


def paid(shop: Shop) -> None:
    """Three sales that were paid, their events waiting at Stripe."""
    for number in NUMBERS:
        shop.pay(shop.opened_page(number)["checkout_id"])
    shop.later(60)


def test_documents_wait_for_the_connection_and_say_so(shop: Shop) -> None:
    """Every round names the trouble and does not end with 0; the first round after connecting posts all three."""
    paid(shop)
    file = disconnected(shop)
    for pause in (0, 1, DAY):
        shop.later(pause)
        ran = shop.run("run_pending")
        assert ran.code != 0
        assert ran.json["post_to_books"] == {"posted": 0, "waiting": 3, "failed": 0}
        assert any("3 documents wait" in sentence and "Intuit" in sentence for sentence in ran.json["trouble"])
    file.unlink()
    assert shop.run("connect_quickbooks").code == 0
    ran = shop.run("run_pending")
    assert (ran.code, ran.json["trouble"]) == (0, [])
    assert ran.json["post_to_books"] == {"posted": 3, "waiting": 0, "failed": 0}
    assert len(shop.books("Payment")) == 3


def test_a_mail_that_needs_the_books_waits_too(shop: Shop) -> None:
    """An invoice mail whose invoice cannot be read now has not failed; it leaves once the books are there again."""
    shop.invoiced("INV-1")
    with shop.till.ledger.transaction():
        invoices.owe_invoice_mail(shop.till, "INV-1")
    file = disconnected(shop)
    ran = shop.run("send_messages")
    assert ran.code != 0
    assert (ran.json["waiting"], ran.json["failed"]) == (1, 0)
    file.unlink()
    assert shop.run("connect_quickbooks").code == 0
    assert shop.run("run_pending").code == 0
    assert len(shop.mails()) == 1


def test_an_order_that_waits_for_the_books_says_why(shop: Shop) -> None:
    """A submitted form is tried again, and until it is an invoice every round names what keeps it back."""
    shop.run("connect_quickbooks")
    order = order_json(parse_order(json.loads(Path(shop.order("INV-7")).read_text())))
    with shop.till.ledger.transaction():
        shop.till.ledger.forms.add("INV-7", order, shop.till.clock.now())
    file = disconnected(shop)
    ran = shop.run("run_pending")
    assert ran.code != 0
    assert any("1 forms wait" in sentence and "Intuit" in sentence for sentence in ran.json["trouble"])
    file.unlink()
    assert shop.run("connect_quickbooks").code == 0
    ran = shop.run("run_pending")
    assert (ran.code, ran.json["trouble"], ran.json["issue_forms"]["invoiced"]) == (0, [], 1)


def test_a_mail_that_is_too_old_keeps_no_round_from_ending_well(shop: Shop) -> None:
    """It is listed as stale, where a person sees it; it is no trouble of each round for ever."""
    shop.invoiced("INV-1")
    with shop.till.ledger.transaction():
        invoices.owe_invoice_mail(shop.till, "INV-1")
    file = disconnected(shop)
    assert any("1 mails wait" in sentence for sentence in json.loads(shop.run("run_pending").out)["trouble"])
    file.unlink()
    shop.later(8 * DAY)
    ran = shop.run("run_pending")
    assert (ran.code, ran.json["trouble"]) == (0, [])
    assert ran.json["send_messages"]["stale"] == ["invoice:INV-1:1"]
