"""What every transaction has: date, currency and rate, number, notes, and how amounts reach an account."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from simulator.quickbooks import faults
from simulator.quickbooks.company.company import Company
from simulator.quickbooks.exact import number, rounded
from simulator.world import Json

LONGEST_NUMBER = 21
_LONGEST_NOTE = 4000
_LONGEST_MEMO = 1000
_SALES_FORMS = ("Invoice", "SalesReceipt", "RefundReceipt", "CreditMemo")
_NUMBERED = (*_SALES_FORMS, "JournalEntry")


def check_head(company: Company, entity: Json) -> None:
    """Fill in the date and refuse texts that are too long."""
    entity.setdefault("TxnDate", company.today())
    for name in ("TxnDate", "DueDate"):
        check_date(entity, name)
    check_length(entity, "DocNumber", LONGEST_NUMBER)
    check_length(entity, "PaymentRefNum", LONGEST_NUMBER)
    check_length(entity, "PrivateNote", _LONGEST_NOTE)
    check_length(entity.get("CustomerMemo", {}), "value", _LONGEST_MEMO)


def check_date(entity: Json, name: str) -> None:
    """Write a date without its time. Raises Fault 2030 for anything else."""
    if name in entity:
        try:
            entity[name] = date.fromisoformat(str(entity[name])[:10]).isoformat()
        except ValueError as error:
            raise faults.Fault("2030", f"{name} is not a date: {error}", name) from error


def check_length(entity: Json, name: str, longest: int) -> None:
    """Raise Fault 2050 for a text with too many characters."""
    length = len(str(entity.get(name, "")))
    if length > longest:
        raise faults.too_long(name, longest, length)


def set_number(company: Company, kind: str, entity: Json, old: Json | None, *, allow_duplicate: bool) -> None:
    """Give a sales form its number as the company's preference says. Raises Fault 6140 for a number in use.

    With custom numbers on the client's number stands, or none. With custom numbers off QuickBooks counts.
    """
    if kind in _SALES_FORMS and not company.preferences()["SalesFormsPrefs"]["CustomTxnNumbers"]:
        entity["DocNumber"] = old["DocNumber"] if old and "DocNumber" in old else _next_number(company, kind)
    text = entity.get("DocNumber")
    if text is None or kind not in _NUMBERED or allow_duplicate:
        return
    for other in company.all(kind):
        if other.get("DocNumber") == text and (old is None or other["Id"] != old["Id"]):
            raise faults.duplicate_number(text, f"{kind} with TxnId={other['Id']}")


def _next_number(company: Company, kind: str) -> str:
    used = {one.get("DocNumber") for one in company.all(kind)}
    while True:
        text = str(1000 + company.world.number(f"quickbooks.{kind}.number"))
        if text not in used:
            return text


def set_currency(company: Company, entity: Json, natural: str) -> str:
    """Settle a transaction's currency and rate. Returns the currency's code.

    `natural` is the currency of its customer, vendor or account: a transaction in another one is refused.
    """
    home = company.home_currency()
    code = str(entity.get("CurrencyRef", {}).get("value", natural))
    if code != natural:
        raise faults.business(f"Currency {code} is not the currency {natural} of the name or account", "CurrencyRef")
    if not company.multi_currency():
        if code != home:
            raise faults.business("Multicurrency is not enabled for this company", "CurrencyRef")
        entity.pop("CurrencyRef", None)
        entity.pop("ExchangeRate", None)
        return home
    entity["CurrencyRef"] = company.currency_ref(code)
    rate = Decimal(1) if code == home else number(entity, "ExchangeRate", company.exchange_rate(code))
    if rate <= 0:
        raise faults.business("The exchange rate must be above zero", "ExchangeRate")
    entity["ExchangeRate"] = format(rate, "f")
    return code


def at_home(company: Company, entity: Json, amount: Decimal) -> Decimal:
    """An amount of a transaction in the home currency, by the transaction's rate."""
    return rounded(amount * number(entity, "ExchangeRate", Decimal(1)), company.home_currency())


def set_home_total(company: Company, entity: Json, total: Decimal) -> None:
    """Write the total in the home currency, where the company uses others, too."""
    if company.multi_currency():
        entity["HomeTotalAmt"] = str(at_home(company, entity, total))


def in_account(company: Company, account: Json, currency: str, amount: Decimal, home: Decimal) -> Decimal:
    """The figure for an account's register: its own currency must be the transaction's or the home currency."""
    own = account["CurrencyRef"]["value"]
    if own == currency:
        return amount
    if own == company.home_currency():
        return home
    raise faults.business(
        f"Account {account['Name']} is in {own}: use an account in {currency} or in the home currency", "AccountRef"
    )


def money(entity: Json, name: str, currency: str, element: str = "") -> Decimal:
    """A required amount, rounded to the currency's decimals. Raises Fault 2020 when it is missing."""
    if name not in entity:
        raise faults.missing(element or name)
    return rounded(number(entity, name), currency)


def deposit_account(company: Company, entity: Json) -> Json:
    """The account that a customer's money goes to: the one that is named, or Undeposited Funds."""
    if "DepositToAccountRef" in entity:
        return company.refer("Account", entity["DepositToAccountRef"], "DepositToAccountRef")
    return company.undeposited()


def reference(entity: Json, label: str = "Name") -> Json:
    """`{"value", "name"}` of a list entity."""
    return {"value": entity["Id"], "name": entity[label]}
