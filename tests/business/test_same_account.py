"""A rule's line and its document move the same account: the ledger's clearing account is one account in QuickBooks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from helpers.refunding import ended, paid_twice, settled
from helpers.sale import Shop
from tillbook.operations.kinds.registry import POSTINGS
from tillbook.rules.bookkeeping import target
from tillbook.rules.documents import Purpose
from tillbook.vendors.providers import clearing


def _sale_given_back_in_vain(shop: Shop) -> None:
    shop.finished()
    refund = shop.run("refund_payment", "INV-1001").json["refund"]
    settled(shop)
    ended(shop, refund, "failed")


def _credit_given_back_in_vain(shop: Shop) -> None:
    _, second = paid_twice(shop)
    refund = shop.run("refund_payment", second).json["refund"]
    settled(shop)
    ended(shop, refund, "failed")


def _sale_at_paypal_given_back(shop: Shop) -> None:
    shop.approved()
    settled(shop)
    assert shop.run("refund_payment", "INV-1001").code == 0


STORIES: tuple[tuple[Callable[[Shop], None], set[Purpose]], ...] = (
    (_sale_given_back_in_vain, {Purpose.PAYMENT, Purpose.SALE_REFUND, Purpose.FAILED_SALE_REFUND}),
    (_credit_given_back_in_vain, {Purpose.PAYMENT, Purpose.CREDIT_REFUND, Purpose.FAILED_CREDIT_REFUND}),
    (_sale_at_paypal_given_back, {Purpose.PAYMENT, Purpose.SALE_REFUND}),
)


@pytest.mark.parametrize(("story", "purposes"), STORIES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_document_moves_the_account_that_its_fact_moves(
    shop: Shop, story: Callable[[Shop], None], purposes: set[Purpose]
) -> None:
    """Each posted document names the QuickBooks account of the clearing account in the lines of its facts."""
    story(shop)
    settled(shop)
    ledger = shop.till.ledger
    names = {account["Id"]: account["Name"] for account in shop.books("Account")}
    seen = set()
    for document in ledger.documents.of_invoice("INV-1001"):
        posted = POSTINGS[document.purpose].last(ledger, document.key)
        assert posted is not None
        params = posted.params
        account = getattr(params, "account_id", "") or getattr(params, "deposit_account_id", "")
        assert names[account] == clearing(document.provider).in_books(document.amount.currency)
        for fact in ledger.documents.facts(document.key):
            assert clearing(document.provider).ledger in {line.account for line in target(fact, None, clearing)}
        seen.add(document.purpose)
    assert seen == purposes
