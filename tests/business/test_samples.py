"""Every sample order through the whole chain, in one world and one ledger: the figures were written by a person."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from helpers.sale import Json, Shop
from simulator.server import Simulator
from tillbook.kit.money import Money, parse
from tillbook.proof import invariants

ORDERS = Path(__file__).parents[1] / "samples" / "orders"
EXPECTED: dict[str, dict[str, str]] = json.loads((ORDERS / "expected.json").read_text())
FILES = sorted(EXPECTED)

# Sums over expected.json, added up by hand: what the customers paid, the tax in it, the fees.
SUMS = {
    "USD": {"total": "4170.32", "tax": "12.50", "fee": "125.75", "revenue": "4157.82", "clearing": "4044.57"},
    "EUR": {"total": "550.00", "tax": "0.00", "fee": "16.25", "revenue": "550.00", "clearing": "533.75"},
    "JPY": {"total": "42401", "tax": "0", "fee": "1260", "revenue": "42401", "clearing": "41141"},
}


@dataclass(frozen=True)
class Chain:
    """What the world and the ledger held when every sale was finished."""

    results: dict[str, Json]
    world: dict[str, list[Json]]
    mails: list[Json]
    balances: dict[tuple[str, str], Money]
    of_invoice: dict[str, dict[tuple[str, str], Money]]
    broken: list[str]

    def of(self, kind: str) -> list[Json]:
        return self.world.get(kind, [])

    def invoice(self, number: str) -> Json:
        return next(found for found in self.of("quickbooks.Invoice") if found["DocNumber"] == number)

    def charge(self, number: str) -> Json:
        intents = {
            intent["id"] for intent in self.of("stripe.payment_intent") if intent["metadata"].get("invoice") == number
        }
        return next(found for found in self.of("stripe.charge") if found["payment_intent"] in intents)

    def balance_transaction(self, number: str) -> Json:
        key = self.charge(number)["balance_transaction"]
        return next(found for found in self.of("stripe.balance_transaction") if found["id"] == key)


@pytest.fixture(scope="module")
def chain(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """All sample orders, each taken through every step; the fixture `till` belongs to one test, this to the file."""
    with (
        pytest.MonkeyPatch.context() as patch,
        Shop.opened(simulator, tmp_path_factory.mktemp("samples") / "home", patch) as shop,
    ):
        results = {name: _sold(shop, name) for name in FILES}
        shop.later(60)
        for script in ("poll_events", "process_inbox", "post_to_books", "send_messages"):
            ended = shop.run(script)
            assert ended.code == 0, ended.err
        objects = requests.get(f"{simulator.url}/_control/state", timeout=10).json()["objects"]
        facts = shop.till.ledger.facts
        numbers = shop.till.ledger.sales.invoice_numbers()
        yield Chain(
            results=results,
            world=objects,
            mails=shop.mails(),
            balances=facts.balances(),
            of_invoice={number: facts.invoice_balances(number) for number in numbers},
            broken=list(invariants.broken(shop.till.ledger)),
        )


def _sold(shop: Shop, name: str) -> Json:
    """One sample invoiced, mailed and paid; the result of `create_invoice`."""
    invoice = shop.run("create_invoice", str(next(ORDERS.rglob(name)))).json
    assert shop.run("send_invoice", invoice["invoice"]).code == 0
    page = shop.run("create_checkout", invoice["invoice"]).json
    assert page["amount"] == invoice["amount"]
    assert shop.pay(page["checkout_id"])["status"] == "succeeded"
    return invoice


def test_every_sample_has_its_figures() -> None:
    """At least twelve orders, each with a line of expected.json, and no line without an order."""
    assert len(FILES) >= 12
    assert sorted({path.name for path in ORDERS.rglob("*.json")} - {"expected.json"}) == FILES


@pytest.mark.parametrize("name", FILES)
def test_quickbooks_holds_the_figures(chain: Chain, name: str) -> None:
    """The invoice's total and tax are the written ones, and nothing is open once its payment is posted."""
    wanted, invoice = EXPECTED[name], chain.invoice(chain.results[name]["invoice"])
    currency = wanted["currency"]
    assert invoice["CurrencyRef"]["value"] == currency
    assert _quickbooks(invoice["TotalAmt"], currency) == parse(wanted["total"], currency)
    assert _quickbooks(invoice["TxnTaxDetail"]["TotalTax"], currency) == parse(wanted["tax"], currency)
    assert _quickbooks(invoice["Balance"], currency) == Money.zero(currency)


@pytest.mark.parametrize("name", FILES)
def test_quickbooks_shows_subtotal_and_discount(chain: Chain, name: str) -> None:
    """The lines before the discount come to the written subtotal, and the discount is one line of its own."""
    wanted, invoice = EXPECTED[name], chain.invoice(chain.results[name]["invoice"])
    currency = wanted["currency"]
    subtotal, discount = parse(wanted["subtotal"], currency), parse(wanted["discount"], currency)
    amounts = {line["DetailType"]: line["Amount"] for line in invoice["Line"]}
    assert _quickbooks(amounts["SubTotalLineDetail"], currency) == subtotal
    assert _quickbooks(amounts.get("DiscountLineDetail", "0"), currency) == discount


@pytest.mark.parametrize("name", FILES)
def test_the_result_says_the_figures(chain: Chain, name: str) -> None:
    """`create_invoice` answers total and tax in minor units."""
    wanted = EXPECTED[name]
    for key, figure in (("amount", "total"), ("tax", "tax")):
        money = parse(wanted[figure], wanted["currency"])
        assert chain.results[name][key] == {"minor": money.minor, "currency": money.currency}


@pytest.mark.parametrize("name", FILES)
def test_the_payment_in_the_books_is_gross_and_applied(chain: Chain, name: str) -> None:
    """One Payment of the whole amount, linked to the one invoice, deposited to Stripe's clearing account."""
    wanted, invoice = EXPECTED[name], chain.invoice(chain.results[name]["invoice"])
    currency = wanted["currency"]
    (linked,) = invoice["LinkedTxn"]
    payment = next(found for found in chain.of("quickbooks.Payment") if found["Id"] == linked["TxnId"])
    account = next(
        found for found in chain.of("quickbooks.Account") if found["Id"] == payment["DepositToAccountRef"]["value"]
    )
    assert _quickbooks(payment["TotalAmt"], currency) == parse(wanted["total"], currency)
    assert _quickbooks(payment["UnappliedAmt"], currency) == Money.zero(currency)
    assert [line["LinkedTxn"] for line in payment["Line"]] == [[{"TxnId": invoice["Id"], "TxnType": "Invoice"}]]
    assert account["Name"] == f"Stripe Clearing ({currency})"


@pytest.mark.parametrize("name", FILES)
def test_stripe_took_the_figures(chain: Chain, name: str) -> None:
    """The charge is the total in the currency's smallest unit, and the fee is the written one."""
    wanted, number = EXPECTED[name], chain.results[name]["invoice"]
    charge, movement = chain.charge(number), chain.balance_transaction(number)
    assert (charge["amount"], charge["currency"]) == (_minor(wanted["total"]), wanted["currency"].lower())
    assert (movement["amount"], movement["fee"]) == (_minor(wanted["total"]), _minor(wanted["fee"]))


@pytest.mark.parametrize("name", FILES)
def test_the_ledger_is_even(chain: Chain, name: str) -> None:
    """Nothing is receivable any more, and revenue and tax are the written figures."""
    wanted, number = EXPECTED[name], chain.results[name]["invoice"]
    currency = wanted["currency"]
    total, tax = parse(wanted["total"], currency), parse(wanted["tax"], currency)
    found = {account: money for (account, _), money in chain.of_invoice[number].items() if money}
    sold = {"Revenue": tax - total, "Sales Tax": -tax}
    assert found == {account: money for account, money in sold.items() if money}


@pytest.mark.parametrize("name", FILES)
def test_the_customer_reads_the_amount(chain: Chain, name: str) -> None:
    """One invoice mail and one confirmation went to the customer's address, the latter with the amount paid."""
    wanted, number = EXPECTED[name], chain.results[name]["invoice"]
    order = json.loads(next(ORDERS.rglob(name)).read_text())
    mails = [mail for mail in chain.mails if number in mail["subject"]]
    assert [mail["to"] for mail in mails] == [[order["customer"]["email"]]] * 2
    amount = f"{wanted['total']} {wanted['currency']}"
    asked, receipt = sorted(mails, key=lambda mail: mail["received_at"])
    assert amount in asked["text"]
    assert amount in asked["html"]
    assert f"Amount paid: {amount}" in receipt["text"]
    assert amount in receipt["html"]
    assert amount in receipt["subject"]


@pytest.mark.parametrize("currency", sorted(SUMS))
def test_the_sums_agree_in_ledger_stripe_and_quickbooks(chain: Chain, currency: str) -> None:
    """Over all samples of a currency: customers paid, fees kept, revenue, tax and the clearing account, to the cent."""
    wanted = {name: parse(text, currency) for name, text in SUMS[currency].items()}
    ledger = {account: money for (account, code), money in chain.balances.items() if code == currency}
    booked = {
        "Stripe Clearing": wanted["clearing"],
        "Processing Fees": wanted["fee"],
        "Revenue": -wanted["revenue"],
        "Sales Tax": -wanted["tax"],
    }
    assert ledger == {account: money for account, money in booked.items() if money}
    movements = [row for row in chain.of("stripe.balance_transaction") if row["currency"] == currency.lower()]
    assert sum(row["amount"] for row in movements) == wanted["total"].minor
    assert sum(row["fee"] for row in movements) == wanted["fee"].minor
    assert sum(row["net"] for row in movements) == wanted["clearing"].minor
    for kind in ("Invoice", "Payment"):
        totals = [
            _quickbooks(row["TotalAmt"], currency)
            for row in chain.of(f"quickbooks.{kind}")
            if row["CurrencyRef"]["value"] == currency
        ]
        assert sum(totals, Money.zero(currency)) == wanted["total"]


def test_every_sale_is_one_of_everything(chain: Chain) -> None:
    """Eighteen orders are eighteen invoices, payments, sessions and charges; the existing customer is reused."""
    counted = Counter(kind for kind, rows in chain.world.items() for _ in rows)
    one_each = ("quickbooks.Invoice", "quickbooks.Payment", "stripe.checkout.session", "stripe.payment_intent")
    for kind in (*one_each, "stripe.charge", "stripe.balance_transaction"):
        assert counted[kind] == 18, kind
    emails = [row["PrimaryEmailAddr"]["Address"] for row in chain.of("quickbooks.Customer")]
    assert len(emails) == len(set(emails)) == 18
    assert len(chain.mails) == 36


def test_no_invariant_is_broken(chain: Chain) -> None:
    """After all sales the ledger's own rules hold: hashes, seals, sums, documents, mails."""
    assert chain.broken == []


def _minor(figure: str) -> int:
    """A written figure in the smallest unit, without asking the code under test: two decimals, or none for yen."""
    return int(figure.replace(".", ""))


def _quickbooks(figure: str, currency: str) -> Money:
    """QuickBooks writes two decimals for every currency."""
    whole, _, cents = figure.partition(".")
    if currency == "JPY":
        assert not cents.strip("0"), figure
        return Money(int(whole), currency)
    return Money(int(whole) * 100 + int(f"{cents:0<2}"), currency)
