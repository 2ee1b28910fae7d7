"""What people and other programs do in the company's books beside us."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from random import Random

from simulator.quickbooks import faults
from simulator.quickbooks.company.company import Company
from simulator.quickbooks.company.seed import ensure_seeded
from simulator.quickbooks.entities import engine
from simulator.quickbooks.entities.kinds import BY_PATH
from simulator.quickbooks.entities.merging import merge_customers
from simulator.quickbooks.exact import rounded
from simulator.rough import strangers
from simulator.world import Json, World

_VENDOR = "quickbooks"
_CURRENCIES = ("USD", "USD", "USD", "EUR", "JPY", "BGN", "ISK")
_NUMBERS = ("{}", "2026/{}", "№ {}", "INV-{}-bis")


def act(world: World, chance: Random, at: int) -> None:
    """Let one person do one thing. What QuickBooks refuses them is not done."""
    company = Company(world)
    ensure_seeded(company)
    (deed,) = chance.choices([deed for deed, _ in _DEEDS], [weight for _, weight in _DEEDS])
    try:
        deed(company, chance, datetime.fromtimestamp(at, UTC).date().isoformat())
    except faults.Fault:
        return


def _add_customer(company: Company, chance: Random, _day: str) -> None:
    """A customer with an odd name, in any currency, with or without an address."""
    code = chance.choice(_CURRENCIES)
    _use_currency(company, code)
    name = f"{strangers.name(chance)[:80]} {company.world.number('quickbooks.stranger')}".replace(":", ".")
    body: Json = {"DisplayName": name, "CurrencyRef": {"value": code}}
    if chance.random() < 0.5:
        body["PrimaryEmailAddr"] = {"Address": strangers.mail(chance)}
    _create(company, "Customer", body)


def _bill(company: Company, chance: Random, day: str) -> None:
    """An invoice that somebody wrote, with a number of their own and no address to send it to."""
    customer = _some(company, chance, "Customer")
    if customer is None or not customer["Active"]:
        return
    number = chance.choice(_NUMBERS).format(2_000 + company.world.number("quickbooks.stranger"))
    more = {"DocNumber": number, "CustomerRef": {"value": customer["Id"]}}
    _create(company, "Invoice", {"TxnDate": day, "Line": [_line(company, chance, customer)], **more})


def _take_cash(company: Company, chance: Random, day: str) -> None:
    """A payment at the counter for such an invoice."""
    invoice = _some(company, chance, "Invoice")
    if invoice is None or invoice["Balance"] in ("0", "0.00"):
        return
    line = {"Amount": invoice["Balance"], "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}
    body = {"TxnDate": day, "CustomerRef": invoice["CustomerRef"], "TotalAmt": invoice["Balance"], "Line": [line]}
    _create(company, "Payment", body)


def _sell_at_the_counter(company: Company, chance: Random, day: str) -> None:
    """A sale that was paid at once."""
    customer = _some(company, chance, "Customer")
    if customer is not None and customer["Active"]:
        more = {"CustomerRef": {"value": customer["Id"]}, "Line": [_line(company, chance, customer)]}
        _create(company, "SalesReceipt", {"TxnDate": day, **more})


def _spend(company: Company, chance: Random, day: str) -> None:
    """Something that was bought."""
    bank = {"value": company.account("Bank", "Checking", "Checking")["Id"]}
    cost = {"value": company.account("Expense", "BankCharges", "Bank Charges")["Id"]}
    detail = {"AccountBasedExpenseLineDetail": {"AccountRef": cost}, "DetailType": "AccountBasedExpenseLineDetail"}
    amount = str(chance.randint(1, 90))
    _create(
        company,
        "Purchase",
        {"TxnDate": day, "PaymentType": "Cash", "AccountRef": bank, "Line": [{"Amount": amount, **detail}]},
    )


def _void(company: Company, chance: Random, _day: str) -> None:
    """An invoice that somebody takes back, in one of the two ways."""
    invoice = _some(company, chance, "Invoice")
    if invoice is not None:
        undo = chance.choice((engine.void, engine.delete))
        undo(company, BY_PATH["invoice"], {"Id": invoice["Id"], "SyncToken": invoice["SyncToken"]})


def _retire(company: Company, chance: Random, _day: str) -> None:
    """A customer that is made inactive, as a program deletes one."""
    customer = _some(company, chance, "Customer")
    if customer is not None and customer["Active"]:
        change = {"Id": customer["Id"], "SyncToken": customer["SyncToken"], "sparse": True, "Active": False}
        engine.update(company, BY_PATH["customer"], change)


def _merge(company: Company, chance: Random, _day: str) -> None:
    """Two customers that somebody makes one: the other's documents move, and its record is left inactive."""
    keys = strangers.noted(company.world, _VENDOR, "Customer")
    known = [one for key in keys if (one := company.find("Customer", key)) and one["Active"]]
    pairs = [(a, b) for a in known for b in known if a["Id"] != b["Id"] and a["CurrencyRef"] == b["CurrencyRef"]]
    if pairs:
        kept, gone = chance.choice(pairs)
        merge_customers(company, kept, gone)


_DEEDS: tuple[tuple[Callable[[Company, Random, str], None], int], ...] = (
    (_add_customer, 4),
    (_bill, 5),
    (_take_cash, 3),
    (_sell_at_the_counter, 1),
    (_spend, 1),
    (_void, 1),
    (_retire, 1),
    (_merge, 1),
)


def _use_currency(company: Company, code: str) -> None:
    used = {one["Code"] for one in company.all("CompanyCurrency")}
    if code not in used and code != company.home_currency():
        company.insert("CompanyCurrency", {"Code": code, "Name": code, "Active": True})


def _create(company: Company, kind: str, body: Json) -> None:
    made = engine.create(company, BY_PATH[kind.lower()], body)
    strangers.note(company.world, _VENDOR, kind, str(made["Id"]))


def _some(company: Company, chance: Random, kind: str) -> Json | None:
    """One of the strangers' own records of a kind that is still there."""
    keys = strangers.noted(company.world, _VENDOR, kind)
    return company.find(kind, chance.choice(keys)) if keys else None


def _line(company: Company, chance: Random, customer: Json) -> Json:
    item = next(one for one in company.all("Item") if one["Name"] == "Services")
    amount = str(rounded(Decimal(chance.randint(100, 90_000)) / 100, customer["CurrencyRef"]["value"]))
    taxed = {"TaxCodeRef": {"value": chance.choice(("TAX", "NON"))}}
    detail = {"ItemRef": {"value": item["Id"]}, **taxed}
    words = strangers.name(chance)
    return {"Amount": amount, "Description": words, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
