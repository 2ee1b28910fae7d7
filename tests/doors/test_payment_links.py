"""The link in a mail without an address of ours: it lasts, is paid once, and dies when the balance changes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
import requests

from helpers.dry_runs import dry_run
from helpers.sale import Shop
from tillbook.kit.errors import Refused
from tillbook.kit.money import Money
from tillbook.proof import invariants
from tillbook.sales import checkouts
from tillbook.till import Till
from tillbook.vendors.quickbooks.books import QuickBooksOnline

Json = dict[str, Any]
NUMBER = "INV-1001"
WEEK_SECONDS = 7 * 86_400
LINKS = "/v1/payment_links"


def link_in(mail: Json) -> str:
    """The one address in a mail's text."""
    addresses: set[str] = set(re.findall(r"https?://\S+", mail["text"]))
    (address,) = addresses
    return address


def mailed(shop: Shop, number: str = NUMBER) -> str:
    """The id of the Payment Link in the mail of a new invoice over 60.00."""
    shop.invoiced(number)
    assert shop.run("send_invoice", number).code == 0
    return link_in(shop.mails()[-1]).rpartition("/")[2]


def links(shop: Shop) -> list[Json]:
    """Every Payment Link at Stripe, oldest first."""
    return list(shop.simulator.world.all("stripe.payment_link"))


def active(shop: Shop, link: str) -> bool:
    """Whether a customer who opens the link reaches a page to pay."""
    address = f"{shop.simulator.url}/link/{link}"
    return requests.get(address, timeout=10, allow_redirects=False).status_code == 303


def opened_in_browser(shop: Shop, link: str) -> str:
    """A customer opens the link and has its page before him: the session."""
    answer = requests.get(f"{shop.simulator.url}/link/{link}", timeout=10)
    return str(answer.url).rpartition("/")[2]


def by_hand(shop: Shop, operation: str = "", **changes: Any) -> None:
    """The owner changes the invoice in QuickBooks, or voids or deletes it."""
    (invoice,) = shop.books("Invoice")
    body = json.dumps({**invoice, **changes}).encode()
    params = {"operation": operation} if operation else {}
    url = "{0.api_url}/company/{0.company_id}/invoice"
    books = shop.till.books
    assert isinstance(books, QuickBooksOnline)
    books.connection.call(lambda client: client.post(url.format(client), body, params=params))


def lowered(shop: Shop) -> None:
    """The invoice is now over 50.00."""
    (invoice,) = shop.books("Invoice")
    line = {**invoice["Line"][0], "Amount": 50, "SalesItemLineDetail": {"ItemRef": {"value": "3"}, "Qty": 1}}
    by_hand(shop, Line=[{name: value for name, value in line.items() if name != "Id"}])


def round_of(shop: Shop) -> Json:
    """One round of run_pending.py without trouble."""
    ran = shop.run("run_pending")
    assert ran.code == 0, ran.err + ran.out
    return ran.json


def receivable(shop: Shop, account: str = "Receivable") -> int:
    """What stands on an account of the invoice in the ledger, in cents."""
    balances = shop.till.ledger.facts.invoice_balances(NUMBER)
    return sum(amount.minor for (name, _), amount in balances.items() if name == account)


# -- the mail --------------------------------------------------------------------------------------


def test_the_link_in_a_mail_is_paid_a_week_later(shop: Shop) -> None:
    """A session would be dead by then; the payment is matched to its invoice and reaches the books like any other."""
    link = mailed(shop)
    shop.later(WEEK_SECONDS)
    assert active(shop, link)
    payment = shop.pay(link)["payment_intent"]
    shop.later(60)
    round_of(shop)
    chain = shop.run("show_payment", payment).json["chain"]
    assert {"checkout", "fact PaymentSucceeded", "document Payment"} <= {row["what"] for row in chain}
    (posted,) = shop.books("Payment")
    assert float(posted["TotalAmt"]) == 60
    assert receivable(shop) == 0


def test_a_customer_pays_on_the_page_behind_the_link(shop: Shop) -> None:
    """The link leads to a page, and after it to Stripe's own thanks: nothing of ours needs to be reachable."""
    session = opened_in_browser(shop, mailed(shop))
    form = {"card_number": "4242 4242 4242 4242", "card_expiry": "12 / 40", "card_cvc": "123", "card_name": "Grace"}
    page = f"{shop.simulator.url}/checkout/{session}"
    answer = requests.post(page, {**form, "email": "grace@example.com"}, timeout=10)
    assert answer.status_code == 200
    assert answer.url.startswith(f"{shop.simulator.url}/link/")
    assert "confirmation comes by mail" in answer.text


def test_with_an_address_of_ours_the_mail_leads_there(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then our own page mints what is needed when it is needed, and no link is made."""
    monkeypatch.setenv("TILLBOOK_BASE_URL", "https://till.example")
    shop.invoiced()
    assert shop.run("send_invoice", NUMBER).code == 0
    assert link_in(shop.mails()[-1]).startswith("https://till.example/pay/")
    assert links(shop) == []


def test_the_link_asks_for_one_payment_and_carries_our_marks(shop: Shop) -> None:
    """Operation and invoice are on the link and on the payment that comes of it."""
    link = mailed(shop)
    (made,) = links(shop)
    page = shop.till.ledger.sales.checkout(link)
    assert page is not None
    assert made["restrictions"]["completed_sessions"] == {"count": 0, "limit": 1}
    assert made["metadata"] == {"operation": page.operation, "invoice": NUMBER}
    intent = shop.simulator.world.get("stripe.payment_intent", shop.pay(link)["payment_intent"])
    assert intent is not None
    assert intent["metadata"] == made["metadata"]


def test_a_second_mail_carries_the_same_link(shop: Shop) -> None:
    """Sent again on a person's word, the mail has the link that is open already."""
    mailed(shop)
    assert shop.run("send_invoice", NUMBER, "--again").code == 0
    first, second = shop.mails()
    assert link_in(first) == link_in(second)
    assert len(links(shop)) == 1


def test_a_step_without_an_address_of_ours_mints_a_link_too(shop: Shop) -> None:
    """In test and live mode a session has nowhere to come back to; the same link stands in the mail."""
    shop.invoiced()
    till = Till(replace(shop.till.settings, mode="test"), shop.till.clock, shop.till.ledger, "a person")
    first = checkouts.open_checkout(till, NUMBER, "stripe")
    second = checkouts.open_checkout(till, NUMBER, "stripe")
    assert first.checkout.id.startswith("plink_")
    assert first.checkout.expires_at is None
    assert (first.already_done, second.already_done, second.checkout) == (False, True, first.checkout)
    shop.run("send_invoice", NUMBER)
    assert link_in(shop.mails()[-1]) == first.checkout.url


def test_a_page_of_a_step_stays_a_session(shop: Shop) -> None:
    """With an address to come back to, a customer who is here now gets a page of a day beside the mailed link."""
    link = mailed(shop)
    page = shop.run("create_checkout", NUMBER).json
    assert page["checkout_id"].startswith("cs_")
    assert page["expires_at"]
    assert active(shop, link)


# -- once ------------------------------------------------------------------------------------------


def test_the_link_is_paid_once_only(shop: Shop) -> None:
    """Whoever opens it afterwards reads that nothing is owed, also in a window that was open before."""
    link = mailed(shop)
    other_window = opened_in_browser(shop, link)
    assert shop.pay(link)["status"] == "succeeded"
    assert "error" in shop.pay(link)
    assert "error" in shop.pay(other_window)
    page = requests.get(f"{shop.simulator.url}/link/{link}", timeout=10)
    assert page.status_code == 410
    assert "nothing to pay" in page.text


def test_c2_a_lost_answer_is_still_one_link(shop: Shop) -> None:
    """The same step again finds the link that was made, and the mail goes out once."""
    shop.invoiced()
    shop.fail("stripe", LINKS, "drop_after", method="POST", times=9)
    assert shop.run("send_invoice", NUMBER).code == 5
    assert (len(links(shop)), shop.mails()) == (1, [])
    requests.delete(f"{shop.simulator.url}/_control/faults", timeout=10)
    assert shop.run("send_invoice", NUMBER).code == 0
    assert (len(links(shop)), len(shop.mails())) == (1, 1)


def test_c8_a_500_ends_in_one_link_too(shop: Shop) -> None:
    """Stripe repeats its 500 for the key; the list shows that nothing was made, and the next attempt has a new key."""
    shop.invoiced()
    shop.fail("stripe", LINKS, "500", method="POST")
    for wait in (0, 62):
        shop.later(wait)
        assert shop.run("send_invoice", NUMBER).code == 5
    shop.later(62)
    for _ in range(2):
        shop.run("send_invoice", NUMBER)
    assert (len(links(shop)), len(shop.mails())) == (1, 1)


def test_c7_after_the_keys_window_the_link_is_looked_for(shop: Shop) -> None:
    """Two days later Stripe has forgotten the key: the list of links shows that ours was made."""
    shop.invoiced()
    shop.fail("stripe", LINKS, "drop_after", method="POST", times=9)
    assert shop.run("send_invoice", NUMBER).code == 5
    requests.delete(f"{shop.simulator.url}/_control/faults", timeout=10)
    shop.later(2 * 86_400)
    posts = len(shop.requests("stripe", "POST", LINKS))
    assert shop.run("send_invoice", NUMBER).code == 0
    assert len(shop.requests("stripe", "POST", LINKS)) == posts
    assert len(links(shop)) == 1


def test_a_dry_run_makes_no_link(shop: Shop) -> None:
    """--dry-run shows the link that would be made and the mail that would leave; Stripe is asked to change nothing."""
    shop.invoiced()
    found = dry_run(shop, "send_invoice", NUMBER)
    (planned,) = found["plan"]
    assert (planned["kind"], planned["subject"]) == ("create_checkout", f"stripe/{NUMBER}/lasting")
    assert links(shop) == []


# -- when it dies ----------------------------------------------------------------------------------


def test_a_lowered_invoice_ends_its_link(shop: Shop) -> None:
    """The owner lowers the invoice in QuickBooks: the link is dead after one round. As the order says otherwise,
    nothing is asked for until a person has looked."""
    link = mailed(shop)
    lowered(shop)
    ran = shop.run("run_pending")
    assert (ran.code, ran.json["settled"], NUMBER in str(ran.json["trouble"])) == (3, 1, True)
    assert not active(shop, link)
    assert shop.run("create_checkout", NUMBER).code == 3
    page = shop.till.ledger.sales.checkout(link)
    assert page is not None
    assert page.status == "expired"


@pytest.mark.parametrize("end", ["void", "delete"])
def test_a_voided_or_deleted_invoice_ends_its_link(shop: Shop, end: str) -> None:
    """Nothing is owed any more, so nothing can be paid. A void is told until somebody ends the invoice here, too."""
    link = mailed(shop)
    by_hand(shop, end)
    ran = shop.run("run_pending")
    assert (ran.code, ran.json["settled"]) == (3 if end == "void" else 0, 1)
    assert not active(shop, link)
    if end == "void":
        assert shop.run("void_invoice", NUMBER).code == 0
    assert round_of(shop)["settled"] == 0


def test_cash_at_the_counter_ends_the_link(shop: Shop) -> None:
    """Paid in full by hand in QuickBooks: the link and a window that shows its page are closed."""
    link = mailed(shop)
    window = opened_in_browser(shop, link)
    shop.paid_at_the_counter(NUMBER, "60.00")
    round_of(shop)
    assert not active(shop, link)
    assert "error" in shop.pay(window)


def test_cash_for_a_part_ends_the_link_and_the_next_asks_for_the_rest(shop: Shop) -> None:
    """25.00 of 60.00 were paid by hand: 35.00 are asked for in the next mail, by another link."""
    old = mailed(shop)
    shop.paid_at_the_counter(NUMBER, "25.00")
    round_of(shop)
    assert shop.run("send_invoice", NUMBER, "--again").code == 0
    new = link_in(shop.mails()[-1]).rpartition("/")[2]
    page = shop.till.ledger.sales.checkout(new)
    assert page is not None
    assert page.amount == Money(3500, "USD")
    assert (active(shop, old), active(shop, new)) == (False, True)


def test_paid_through_a_session_the_link_ends(shop: Shop) -> None:
    """The customer pays on the page of a step: the link in the mail is closed in the next round."""
    link = mailed(shop)
    page = shop.run("create_checkout", NUMBER).json
    shop.pay(page["checkout_id"])
    round_of(shop)
    assert not active(shop, link)
    assert len(shop.books("Payment")) == 1


def test_paid_through_the_link_the_session_ends(shop: Shop) -> None:
    """And the other way round."""
    link = mailed(shop)
    page = shop.run("create_checkout", NUMBER).json
    shop.pay(link)
    round_of(shop)
    assert "error" in shop.pay(page["checkout_id"])
    assert shop.run("create_checkout", NUMBER).code == 3


def test_both_paid_at_once_the_second_is_the_customers_credit(shop: Shop) -> None:
    """The one race that is left: two pages paid within a minute. No cent is lost, and both books say whose it is."""
    link = mailed(shop)
    page = shop.run("create_checkout", NUMBER).json
    shop.pay(page["checkout_id"])
    shop.pay(link)
    shop.later(60)
    round_of(shop)
    round_of(shop)
    assert (receivable(shop), receivable(shop, "Customer Credit")) == (0, -6000)
    applied = sorted(60 - float(payment["UnappliedAmt"]) for payment in shop.books("Payment"))
    assert applied == [0, 60]
    assert not list(invariants.broken(shop.till.ledger))


def test_a_link_of_an_old_balance_is_closed_before_a_new_page_is_made(shop: Shop) -> None:
    """Without waiting for a round: a step that finds another balance ends the old link first."""
    link = mailed(shop)
    shop.paid_at_the_counter(NUMBER, "25.00")
    page = shop.run("create_checkout", NUMBER).json
    assert page["amount"] == {"minor": 3500, "currency": "USD"}
    assert not active(shop, link)


def test_closing_is_finished_by_the_next_round(shop: Shop) -> None:
    """The answer to the deactivation was lost: the round says so, and the next one finishes what it began."""
    link = mailed(shop)
    shop.paid_at_the_counter(NUMBER, "60.00")
    shop.fail("stripe", f"{LINKS}/{link}", "drop_after", method="POST", times=9)
    assert shop.run("run_pending").code == 5
    requests.delete(f"{shop.simulator.url}/_control/faults", timeout=10)
    round_of(shop)
    page = shop.till.ledger.sales.checkout(link)
    assert page is not None
    assert (page.status, active(shop, link)) == ("expired", False)


def test_a_link_that_was_just_paid_is_not_closed(shop: Shop) -> None:
    """The customer was faster than the close: that is refused with a code, and the payment counts."""
    link = mailed(shop)
    shop.pay(link)
    provider = shop.till.provider("stripe")
    plan = provider.plan_close(link)
    with shop.till.ledger.transaction():
        operation = shop.till.ledger.operations.prepare(plan, renew="", asked_by="test", now=shop.till.clock.now())
    with pytest.raises(Refused) as refusal:
        provider.send(operation)
    assert refusal.value.code == "complete"
    assert provider.checkout(link).status == "paid"


def test_quickbooks_away_does_not_keep_stripe_waiting(shop: Shop) -> None:
    """What changed in QuickBooks cannot be learned, and the round says so; a page that was paid is settled even so."""
    page = shop.opened_page()
    shop.pay(page["checkout_id"])
    shop.fail("quickbooks", "*/cdc", "500", times=9)
    ran = shop.run("run_pending")
    assert ran.code == 4
    assert any("QuickBooks" in sentence for sentence in ran.json["trouble"])
    found = shop.till.ledger.sales.checkout(page["checkout_id"])
    assert found is not None
    assert found.status == "paid"


def test_quiet_links_cost_one_question_a_round(shop: Shop) -> None:
    """Links may wait for months: a round asks QuickBooks once for all of them, and Stripe about none."""
    for number in ("INV-1", "INV-2", "INV-3"):
        mailed(shop, number)
    before = len(shop.requests())
    round_of(shop)
    asked = shop.requests()[before:]
    assert [row["path"].rpartition("/")[2] for row in asked if row["vendor"] == "quickbooks"] == ["cdc"]
    assert not [row for row in asked if "payment_links" in row["path"] or "sessions" in row["path"]]


def test_without_an_open_page_nothing_is_asked(shop: Shop) -> None:
    """An installation without open pages does not ask QuickBooks every minute what changed."""
    shop.invoiced()
    round_of(shop)
    assert shop.requests("quickbooks", path="cdc") == []
