"""A year of a small business in the rough world: processor, ledger and books agree, but for what is told by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers.running.tally import LONG, SEED
from helpers.sale import Json, Shop, control
from helpers.year.business import FINE, FOUND, REFUSED, Business
from helpers.year.owners import UNKNOWN, not_booked, origins
from helpers.year.plan import year

SALES = 2000 if LONG else 80
EXPECTED: list[Json] = json.loads(
    (Path(__file__).parents[1] / "samples/year/expected.json").read_text(encoding="utf-8")
)
KINDS = {(row["type"], row["whose"], row["what"]) for row in EXPECTED}
COMPARED = {
    ("PayPal", "movements"),
    ("Stripe", "movements"),
    ("QuickBooks", "documents"),
    ("QuickBooks", "customers"),
}
# What PayPal's reports do not show yet is not told yet.
NOT_SHOWN_YET_SECONDS = 4 * 3600
# How each step may end. Nothing ends with 1, a fault of ours, or with 5, which nobody ends.
ENDS = {
    "create_checkout": {FINE, REFUSED},
    "create_invoice": {FINE},
    "refund_payment": {FINE},
    "run_pending": {FINE, FOUND},
    "reconcile_payments": {FINE, FOUND},
    "send_invoice": {FINE},
    "show_payment": {FINE},
    "check_setup": {FINE, REFUSED},
}


@pytest.mark.timeout(7200 if LONG else 180)
def test_a_year_in_the_rough_world_ends_in_agreement(shop: Shop) -> None:
    """Nothing is told that is not expected, and everything is told that nothing books. What cannot be charged is
    refused, and what the balances differ by is explained to the last cent."""
    control(shop.simulator, "rough", {"seed": SEED})
    business = Business(shop)
    business.work(year(SEED, SALES))
    told = business.close()
    for (script, code), _ in business.ran.items():
        assert code in ENDS[script], (script, code, business.said[script, code])
    assert all("Stripe takes 0.50 USD or more" in words for words in business.refused.values())
    world = shop.simulator.world
    known, subjects = origins(world), {one["subject"] for one in told["discrepancies"]}
    kinds = {(one["type"], *known.get(one["subject"], UNKNOWN)) for one in told["discrepancies"]}
    assert kinds - KINDS == set(), [one for one in told["discrepancies"] if one["subject"] not in known]
    assert not_booked(world, world.now() - NOT_SHOWN_YET_SECONDS) - subjects == set()
    assert [proof["name"] for proof in told["proofs"] if proof["difference"]["minor"]] == []
    assert (told["trouble"], "not looked at" in told["verdict"]) == ([], False)
    assert {(one["whom"], one["what"]) for one in told["compared"]} == COMPARED


def test_what_is_expected_has_its_reasons() -> None:
    """Each entry says why, and none is there twice."""
    assert len(KINDS) == len(EXPECTED)
    assert all(row["why"] for row in EXPECTED)
