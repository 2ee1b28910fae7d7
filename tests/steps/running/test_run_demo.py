"""run_demo.py: the whole sale, narrated, on ports and folders of its own."""

from __future__ import annotations

import json

import pytest

from helpers.sale import Shop


@pytest.mark.parametrize("provider", ["stripe", "paypal"])
def test_the_demo_ends_with_a_paid_invoice(shop: Shop, provider: str) -> None:
    """From the form to the books without a key: words on stderr, the chain on stdout, this home untouched."""
    before = sorted(path.name for path in shop.home.rglob("*"))
    ran = shop.start("run_demo", "--provider", provider)
    assert ran.code == 0, ran.err
    states = {(link["what"], link["status"]) for link in json.loads(ran.out)["chain"]}
    assert {("invoice", "paid"), ("document Payment", "posted"), ("mail confirmation", "sent")} <= states
    assert ("fact ProcessorFee", "recorded") in states
    assert "1. A form was submitted" in ran.err
    assert "create_checkout.py" in ran.err
    assert sorted(path.name for path in shop.home.rglob("*")) == before
    assert shop.requests() == []
