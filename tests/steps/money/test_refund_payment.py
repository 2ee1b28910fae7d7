"""refund_payment.py: what it takes and what it refuses, once for each reference, and never too much."""

from __future__ import annotations

import pytest

from helpers.dry_runs import changes, dry_run, rows
from helpers.refunding import ended, in_dashboard, in_ledger, paid_twice, refunds_start_as, settled, state
from helpers.sale import Shop, control
from refund_payment import refund_payment

YEN = [{"description": "Logo", "sku": "DESIGN", "quantity": "1", "unit_price": "5000"}]


def refunded_at_stripe(shop: Shop) -> list[int]:
    """The amounts of all refunds that Stripe holds, in minor units."""
    return sorted(one["amount"] for one in state(shop)["objects"].get("stripe.refund", []))


def refused(shop: Shop, *arguments: str) -> str:
    """The step is refused with exit 3, prints no result, and asks Stripe for nothing; its words."""
    before = changes(shop)
    ran = shop.run("refund_payment", *arguments)
    assert (ran.code, ran.out) == (3, ""), ran.err
    assert changes(shop) == before
    return ran.err


# -- the result ------------------------------------------------------------------------------------


def test_the_result_has_its_keys(shop: Shop) -> None:
    """The keys of the contract, amounts in minor units with their currency."""
    payment = shop.finished()
    found = shop.run("refund_payment", payment, "--amount", "20.00").json
    (refund,) = state(shop)["objects"]["stripe.refund"]
    assert found == {
        "refund": refund["id"],
        "payment": payment,
        "amount": {"minor": 2000, "currency": "USD"},
        "status": "succeeded",
        "remaining": {"minor": 4000, "currency": "USD"},
        "already_done": False,
    }


def test_c13_the_amount_that_is_sent_is_always_explicit(shop: Shop) -> None:
    """Left out it is all that remains, said as a number: 40.00 after 20.00; not what Stripe takes it for."""
    payment = shop.finished()
    shop.run("refund_payment", payment, "--amount", "20.00")
    found = shop.run("refund_payment", payment).json
    assert (found["amount"]["minor"], found["remaining"]["minor"]) == (4000, 0)
    assert refunded_at_stripe(shop) == [2000, 4000]
    operations = [
        shop.till.ledger.operations.get(one["metadata"]["operation"]) for one in state(shop)["objects"]["stripe.refund"]
    ]
    assert sorted(one.params["amount_minor"] for one in operations if one) == [2000, 4000]


@pytest.mark.parametrize("name", ["payment", "charge", "invoice", "page", "document", "quickbooks", "mail"])
def test_any_id_that_names_one_payment_will_do(shop: Shop, name: str) -> None:
    """Its own ids, its page, its invoice, its document here and in QuickBooks, the address of its customer."""
    payment = shop.finished()
    ledger = shop.till.ledger
    (document,) = ledger.documents.of_invoice("INV-1001")
    (page,) = ledger.sales.checkouts_of_invoice("INV-1001")
    names = {
        "payment": payment,
        "charge": state(shop)["objects"]["stripe.charge"][0]["id"],
        "invoice": "INV-1001",
        "page": page.id,
        "document": document.key,
        "quickbooks": document.quickbooks_id,
        "mail": "grace@example.com",
    }
    assert shop.run("refund_payment", names[name], "--amount", "1").json["payment"] == payment


def test_an_earlier_refund_names_its_payment_too(shop: Shop) -> None:
    """What the last result called it is enough."""
    payment = shop.finished()
    first = shop.run("refund_payment", payment, "--amount", "1").json["refund"]
    assert shop.run("refund_payment", first, "--amount", "2").json["payment"] == payment


def test_the_plain_function_does_the_same(shop: Shop) -> None:
    """Other scripts import the function."""
    payment = shop.finished()
    assert refund_payment(payment, till=shop.till, amount="5").remaining.text == "55.00"


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "amount", ["0", "0.00", "-1", "NaN", "inf", "1e2", "1e400", "60.001", "1,00", "\uff11", " ", "0x10", "9" * 40]
)
def test_c11_d15_an_amount_that_makes_no_sense_is_refused(shop: Shop, amount: str) -> None:
    """Nothing, less than nothing, no number, too precise, in another script, without end."""
    assert "Traceback" not in refused(shop, shop.finished(), f"--amount={amount}")
    assert refunded_at_stripe(shop) == []


@pytest.mark.parametrize("amount", ["12.5", "12.00", "5000.0"])
def test_d15_yen_have_no_decimals(shop: Shop, amount: str) -> None:
    """The amount is in the currency of the payment, and that one has no cents."""
    assert "JPY" in refused(shop, shop.finished(currency="JPY", lines=YEN), "--amount", amount)


def test_more_than_was_captured_is_refused(shop: Shop) -> None:
    """60.01 of 60.00, and 40.01 after 20.00: exit 3 with both figures."""
    payment = shop.finished()
    words = refused(shop, payment, "--amount", "60.01")
    assert "60.01 USD" in words
    assert "60.00 USD" in words
    shop.run("refund_payment", payment, "--amount", "20.00")
    assert "40.00 USD of 60.00 USD" in refused(shop, payment, "--amount", "40.01")


def test_of_what_is_given_back_nothing_remains(shop: Shop) -> None:
    """All of it is back: with another reference there is nothing left, and the words say so."""
    payment = shop.finished()
    shop.run("refund_payment", payment)
    assert "nothing remains" in refused(shop, payment, "--reference", "second")
    assert refunded_at_stripe(shop) == [6000]


@pytest.mark.parametrize("name", ["pi_0000000000000000", "INV-9", "nobody@example.com", "%", "' or 1=1 --"])
def test_an_unknown_payment_is_refused(shop: Shop, name: str) -> None:
    """Nothing in the ledger is known by it: nothing is asked of Stripe."""
    shop.finished()
    assert "no payment" in refused(shop, name)


def test_an_invoice_without_a_payment_is_refused(shop: Shop) -> None:
    """It is known, but no money came in."""
    shop.opened_page()
    assert "no payment" in refused(shop, "INV-1001")


def test_a_name_of_two_payments_is_refused_with_both(shop: Shop) -> None:
    """An invoice that was paid twice, and the address of its customer: name one of the two."""
    payments = paid_twice(shop)
    for name in ("INV-1001", "grace@example.com"):
        words = refused(shop, name)
        assert all(payment in words for payment in payments)


@pytest.mark.parametrize("option", ["--reason", "--reference"])
@pytest.mark.parametrize(
    "text", ["card 4242 4242 4242 4242", "harmless\u202egnp.exe", "esc \x1b[31m", "zero\x00", "x" * 501, " "]
)
def test_c11_words_that_may_not_travel_are_refused(shop: Shop, option: str, text: str) -> None:
    """Card numbers, hidden and control characters, words without end: none of it reaches Stripe, or the terminal."""
    words = refused(shop, shop.finished(), option, text)
    assert "4242 4242" not in words
    assert not any(character in words for character in "\u202e\x1b\x00")


def test_a_reason_of_stripes_is_its_reason_and_any_other_is_metadata(shop: Shop) -> None:
    """`duplicate` is a word of Stripe's; our own words stay ours, in any script."""
    payment = shop.finished()
    shop.run("refund_payment", payment, "--amount", "1", "--reason", "duplicate")
    shop.run("refund_payment", payment, "--amount", "1", "--reason", "Zu groß, 返品")
    found = state(shop)["objects"]["stripe.refund"]
    assert {(one["reason"], one["metadata"]["reason"]) for one in found} == {
        ("duplicate", "duplicate"),
        (None, "Zu groß, 返品"),
    }


@pytest.mark.parametrize("arguments", [["--of", "gift"], ["--amount"], []])
def test_wrong_usage_is_exit_2(shop: Shop, arguments: list[str]) -> None:
    """What Typer refuses is usage."""
    assert shop.run("refund_payment", *(["pi_1", *arguments] if arguments else [])).code == 2


# -- references ------------------------------------------------------------------------------------


def test_the_same_command_twice_is_one_refund(shop: Shop) -> None:
    """Also with the same amount in other words: 20, 20.0 and 20.00 are one."""
    payment = shop.finished()
    first = shop.run("refund_payment", payment, "--amount", "20.00").json
    for amount in ("20.00", "20", "20.0"):
        again = shop.run("refund_payment", payment, "--amount", amount).json
        assert again == {**first, "already_done": True}
    assert refunded_at_stripe(shop) == [2000]


def test_all_that_remains_twice_is_one_refund(shop: Shop) -> None:
    """The second run finds its refund, not an empty payment."""
    payment = shop.finished()
    first = shop.run("refund_payment", payment).json
    assert shop.run("refund_payment", payment).json == {**first, "already_done": True}
    assert refunded_at_stripe(shop) == [6000]


def test_two_references_are_two_refunds(shop: Shop) -> None:
    """The same amount for two returned things."""
    payment = shop.finished()
    for reference in ("RMA-1", "RMA-2"):
        assert shop.run("refund_payment", payment, "--amount", "20", "--reference", reference).code == 0
    assert refunded_at_stripe(shop) == [2000, 2000]


@pytest.mark.parametrize(
    "other", [["--amount", "30"], ["--reason", "duplicate"], ["--amount", "20", "--of", "payment"]], ids=str
)
def test_a_reference_with_other_content_is_refused(shop: Shop, other: list[str]) -> None:
    """A reference stands for one refund: another amount, reason or purpose under it is exit 3."""
    payment = shop.finished()
    shop.run("refund_payment", payment, "--amount", "20", "--reference", "RMA-1")
    assert "other content" in refused(shop, payment, "--reference", "RMA-1", *other)
    assert refunded_at_stripe(shop) == [2000]


def test_again_is_another_refund_of_the_same_reference(shop: Shop) -> None:
    """Asked for by a person; what remains bounds it like any other."""
    payment = shop.finished()
    for remaining in (4000, 2000, 0):
        command = ["refund_payment", payment, "--amount", "20", *(["--again"] if remaining < 4000 else [])]
        found = shop.run(*command).json
        assert (found["remaining"]["minor"], found["already_done"]) == (remaining, False)
    refused(shop, payment, "--amount", "20", "--again")
    assert refunded_at_stripe(shop) == [2000, 2000, 2000]


def test_c1_an_uncertain_refund_is_finished_by_the_same_command_and_by_again(shop: Shop) -> None:
    """The answer was lost: exit 5; the same command, even with --again, finds that refund and makes no second one."""
    payment = shop.finished()
    shop.fail("stripe", "*/refunds", "drop_after", method="POST", times=3)
    assert shop.run("refund_payment", payment, "--amount", "20").code in (0, 5)
    found = shop.run("refund_payment", payment, "--amount", "20", "--again").json
    assert found["remaining"]["minor"] == 4000
    assert refunded_at_stripe(shop) == [2000]


def test_a_refund_that_cannot_be_read_back_is_done_all_the_same(shop: Shop) -> None:
    """Stripe took it and then fell silent: exit 0, it counts, and its fact comes with the next round."""
    payment = shop.finished()
    shop.fail("stripe", "*/payment_intents/*", "500", times=9, skip=1)
    found = shop.run("refund_payment", payment, "--amount", "20")
    assert found.code == 0, found.err
    assert found.json["remaining"]["minor"] == 4000
    control_clear(shop)
    settled(shop)
    assert in_ledger(shop) == {"Processing Fees": 204, "Revenue": -4000, "Stripe Clearing": 3796}


def control_clear(shop: Shop) -> None:
    """End every fault."""
    import requests

    requests.delete(f"{shop.simulator.url}/_control/faults", timeout=10)


def test_nothing_happened_while_stripe_cannot_be_read(shop: Shop) -> None:
    """What was refunded in the dashboard must be known first: exit 4, and no refund."""
    payment = shop.finished()
    shop.fail("stripe", "*/payment_intents/*", "500", times=9)
    assert shop.run("refund_payment", payment, "--amount", "20").code == 4
    assert refunded_at_stripe(shop) == []


# -- disputes --------------------------------------------------------------------------------------


def test_c12_a_payment_in_dispute_is_not_refunded(shop: Shop) -> None:
    """The customer's bank takes the money back already: a refund would pay twice."""
    payment = shop.finished()
    control(shop.simulator, "dispute", {"payment": payment, "kind": "dispute"})
    assert "in dispute (needs_response)" in refused(shop, payment)
    assert refunded_at_stripe(shop) == []


def test_c12_an_inquiry_is_no_obstacle(shop: Shop) -> None:
    """`warning_needs_response`: a full refund is a normal way to end it."""
    payment = shop.finished()
    control(shop.simulator, "dispute", {"payment": payment, "kind": "inquiry"})
    assert shop.run("refund_payment", payment).json["status"] == "succeeded"


def test_c12_while_disputes_cannot_be_read_nothing_happens(shop: Shop) -> None:
    """Not to know is no permission: exit 4, and the room is free."""
    payment = shop.finished()
    shop.fail("stripe", "*/disputes", "500", times=9)
    assert shop.run("refund_payment", payment).code == 4
    assert shop.till.ledger.outflows.refundable("stripe", payment, "USD").remaining.minor == 6000
    assert refunded_at_stripe(shop) == []


def test_c12_a_dispute_that_begins_after_we_looked_ends_the_refund(shop: Shop) -> None:
    """Prepared, then Stripe was busy, then the dispute began: Stripe's own refusal ends it, and its room is free."""
    payment = shop.finished()
    shop.fail("stripe", "*/refunds", "429", method="POST", times=3)
    assert shop.run("refund_payment", payment).code == 4
    assert shop.till.ledger.outflows.refundable("stripe", payment, "USD").remaining.minor == 0
    control(shop.simulator, "dispute", {"payment": payment, "kind": "dispute"})
    assert shop.run("refund_payment", payment).code == 3
    assert shop.till.ledger.outflows.refundable("stripe", payment, "USD").remaining.minor == 6000
    assert shop.till.ledger.operations.unfinished() == []


# -- what it gives back ----------------------------------------------------------------------------


def test_a_credit_is_given_back_as_credit(shop: Shop) -> None:
    """The second of two payments: nobody has to say what it is."""
    _, second = paid_twice(shop)
    shop.run("refund_payment", second)
    assert in_ledger(shop)["Revenue"] == -6000
    assert "Customer Credit" not in in_ledger(shop)


def test_while_the_invoice_leaves_it_open_it_is_asked(shop: Shop) -> None:
    """The first of two payments: exit 3 with the three words; said, it is done."""
    first, _ = paid_twice(shop)
    words = refused(shop, first)
    assert "60.00 USD of it is credit" in words
    assert "sale, credit, payment" in words
    assert shop.run("refund_payment", first, "--of", "sale").code == 0
    assert in_ledger(shop) == {"Customer Credit": -6000, "Processing Fees": 408, "Stripe Clearing": 5592}


@pytest.mark.parametrize(("of", "amount", "most"), [("credit", "1.00", "0.00"), ("payment", "41.00", "40.00")])
def test_no_more_than_there_is_of_it(shop: Shop, of: str, amount: str, most: str) -> None:
    """No credit on a plainly paid invoice; of the payment 40.00 after 20.00 went back."""
    payment = shop.finished()
    shop.run("refund_payment", payment, "--amount", "20", "--of", "payment")
    words = refused(shop, payment, "--amount", amount, "--of", of)
    assert f"{most} USD" in words


def test_d10_what_quickbooks_could_not_apply_is_credit(shop: Shop) -> None:
    """20.00 were taken at the counter before 60.00 came in: 20.00 go back as credit, all of it must be said."""
    page = shop.opened_page()
    shop.paid_at_the_counter("INV-1001", "20.00")
    payment = shop.pay(page["checkout_id"])["payment_intent"]
    settled(shop)
    assert "20.00 USD of it is credit" in refused(shop, payment)
    shop.run("refund_payment", payment, "--amount", "20.00")
    settled(shop)
    assert [one["TotalAmt"] for one in shop.books("Purchase")] == ["20.00"]
    ours = next(one for one in shop.books("Payment") if one["TotalAmt"] == "60.00")
    assert ours["UnappliedAmt"] == "0.00"
    assert "all of it" not in refused(shop, payment, "--amount", "1.00", "--of", "credit")


# -- the dashboard ---------------------------------------------------------------------------------


def test_a_dashboard_refund_before_ours_counts_in_the_bound(shop: Shop) -> None:
    """45.00 went back in the dashboard and nobody has told us: of 60.00 remain 15.00, and the step finds out."""
    payment = shop.finished()
    in_dashboard(shop, payment, 4500)
    assert "15.00 USD of 60.00 USD" in refused(shop, payment, "--amount", "15.01")
    assert shop.run("refund_payment", payment).json["amount"]["minor"] == 1500
    assert refunded_at_stripe(shop) == [1500, 4500]


# -- pending ---------------------------------------------------------------------------------------


def test_c16_a_pending_refund_says_so_and_counts(shop: Shop) -> None:
    """Stripe has it, the bank not yet: status pending, nothing remains of what it takes; then it succeeds."""
    payment = shop.finished()
    refunds_start_as(shop, "pending")
    found = shop.run("refund_payment", payment, "--amount", "50").json
    assert (found["status"], found["remaining"]["minor"]) == ("pending", 1000)
    ended(shop, found["refund"], "succeeded")
    again = shop.run("refund_payment", payment, "--amount", "50").json
    assert (again["status"], again["already_done"], again["remaining"]["minor"]) == ("succeeded", True, 1000)


@pytest.mark.parametrize(("start", "outcome"), [("pending", "failed"), ("pending", "canceled"), ("held", "failed")])
@pytest.mark.parametrize("start_row", ["told", "untold"])
def test_c14_a_refund_that_came_to_nothing_frees_its_room(shop: Shop, start: str, outcome: str, start_row: str) -> None:
    """Failed or cancelled, with a row on the balance or without one: exit 3, and --again gives it once more."""
    payment = shop.finished()
    refunds_start_as(shop, start)
    refund = shop.run("refund_payment", payment).json["refund"]
    if start_row == "told":
        settled(shop)
    ended(shop, refund, outcome)
    if start_row == "told":
        settled(shop)
    refunds_start_as(shop, "succeeded")
    assert "--again" in refused(shop, payment)
    found = shop.run("refund_payment", payment, "--again").json
    assert (found["status"], found["remaining"]["minor"]) == ("succeeded", 0)
    settled(shop)
    assert in_ledger(shop) == {"Processing Fees": 204, "Stripe Clearing": -204}


def test_c14_a_held_refund_moves_nothing_until_it_is_paid(shop: Shop) -> None:
    """No row on the balance: no fact, no document, no mail, but its room is taken; then it is paid."""
    payment = shop.finished()
    refunds_start_as(shop, "held")
    found = shop.run("refund_payment", payment).json
    assert (found["status"], found["remaining"]["minor"]) == ("pending", 0)
    settled(shop)
    assert in_ledger(shop)["Revenue"] == -6000
    assert shop.books("RefundReceipt") == []
    refused(shop, payment, "--amount", "1", "--reference", "more")
    ended(shop, found["refund"], "succeeded")
    settled(shop)
    assert in_ledger(shop) == {"Processing Fees": 204, "Stripe Clearing": -204}
    assert shop.till.ledger.outflows.refundable("stripe", payment, "USD").remaining.minor == 0


def test_c15_an_old_pending_refund_is_never_given_up(shop: Shop) -> None:
    """Three months later it still takes its room, and no second one is made."""
    payment = shop.finished()
    refunds_start_as(shop, "held")
    shop.run("refund_payment", payment)
    shop.later(90 * 86400)
    settled(shop)
    assert shop.run("refund_payment", payment).json["already_done"] is True
    assert refunded_at_stripe(shop) == [6000]


# -- dry run -------------------------------------------------------------------------------------


def test_g20_a_dry_run_plans_what_the_real_run_does(shop: Shop) -> None:
    """The plan is the operation, the entries are the debits and credits; nothing is sent or written."""
    payment = shop.finished()
    plan = dry_run(shop, "refund_payment", payment, "--amount", "20.00")
    assert [(one["account"], one["amount"]["minor"]) for one in plan["entries"]] == [
        ("Revenue", 2000),
        ("Stripe Clearing", -2000),
    ]
    assert plan["remaining"]["minor"] == 4000
    shop.run("refund_payment", payment, "--amount", "20.00")
    operation = shop.till.ledger.operations.last("refund_payment", f"stripe/{payment}/20.00 requested_by_customer")
    assert operation is not None
    assert plan["plan"] == [
        {"kind": "refund_payment", "subject": operation.subject, "door": "stripe", "params": operation.params}
    ]


def test_g20_a_dry_run_of_what_is_done_plans_nothing(shop: Shop) -> None:
    """Already done: no plan and no entries."""
    payment = shop.finished()
    shop.run("refund_payment", payment)
    plan = dry_run(shop, "refund_payment", payment)
    assert (plan["plan"], plan["entries"], plan["already_done"]) == ([], [], True)


def test_g20_a_dry_run_is_refused_like_the_real_run(shop: Shop) -> None:
    """Too much is too much: exit 3, and not a row in the ledger."""
    payment = shop.finished()
    before = rows(shop)
    refused(shop, payment, "--amount", "60.01", "--dry-run")
    assert rows(shop) == before
