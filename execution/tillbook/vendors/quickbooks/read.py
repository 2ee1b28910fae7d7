"""QuickBooks' JSON as our values: exact amounts, and a failure by name for a field that must be there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from zoneinfo import available_timezones

from tillbook.kit.clock import parse_rfc3339
from tillbook.kit.errors import Refused, Unavailable, Unreadable
from tillbook.kit.money import Money, from_decimal
from tillbook.operations.kinds.registry import MARKS
from tillbook.rules.events import BookedInvoice, UnreadableRecord
from tillbook.rules.operations import Json
from tillbook.vendors.books import BookedCustomer, Company, Item, Record
from tillbook.vendors.one_by_one import plain, unread

HomeCurrency = Callable[[], str]
"""Asked for only when a record names no currency, as those of a company with one currency do."""


def company(realm: str, info: Json, preferences: Json) -> Company:
    """CompanyInfo and Preferences together."""
    currency = part(preferences, "CurrencyPrefs")
    zone = str(info.get("DefaultTimeZone", ""))
    return Company(
        realm=realm,
        name=str(info.get("CompanyName", "")),
        country=str(info.get("Country", "")),
        home_currency=str(part(currency, "HomeCurrency")["value"]),
        multi_currency=bool(currency.get("MultiCurrencyEnabled", False)),
        custom_numbers=bool(part(preferences, "SalesFormsPrefs").get("CustomTxnNumbers", False)),
        closed_until=str(part(preferences, "AccountingInfoPrefs").get("BookCloseDate", "")),
        zone=zone if zone in available_timezones() else "",
    )


def item(raw: Json) -> Item:
    """`on_hand` only where QuickBooks counts the stock."""
    on_hand = Decimal(raw.get("QtyOnHand", 0)) if raw.get("TrackQtyOnHand") else None
    return Item(id=raw["Id"], sku=raw["Sku"], name=raw["Name"], on_hand=on_hand)


def customer(raw: Json, home: HomeCurrency) -> BookedCustomer:
    """A Customer of QuickBooks as ours."""
    return BookedCustomer(
        id=raw["Id"],
        name=raw["DisplayName"],
        email=email_of(raw),
        currency=currency_of(raw, home),
        active=bool(raw.get("Active", True)),
    )


def invoice(raw: Json, home: HomeCurrency) -> BookedInvoice:
    """An invoice now. Voided is what QuickBooks makes of it: nothing to pay, and its word at the head of the note."""
    currency = currency_of(raw, home)
    total = _money(raw, "TotalAmt", currency)
    return BookedInvoice(
        id=raw["Id"],
        number=str(raw.get("DocNumber", "")),
        customer_id=str(part(raw, "CustomerRef")["value"]),
        email=str(part(raw, "BillEmail").get("Address", "")),
        total=total,
        tax=_money({"TotalTax": 0, **part(raw, "TxnTaxDetail")}, "TotalTax", currency),
        balance=_money(raw, "Balance", currency),
        date=raw["TxnDate"],
        due=str(raw.get("DueDate", raw["TxnDate"])),
        voided=not total and str(raw.get("PrivateNote", "")).startswith("Void"),
        created_at=parse_rfc3339(part(raw, "MetaData")["CreateTime"]),
        version=int(raw["SyncToken"]),
    )


def account(raw: Json, home: HomeCurrency) -> Json:
    """`{"id", "name", "type", "subtype", "currency", "active"}`"""
    return {
        "id": raw["Id"],
        "name": raw["Name"],
        "type": raw["AccountType"],
        "subtype": raw.get("AccountSubType", ""),
        "currency": currency_of(raw, home),
        "active": bool(raw.get("Active", True)),
    }


def payment(raw: Json, home: HomeCurrency) -> Json:
    """`{"id", "amount_minor", "currency", "unapplied_minor", "invoices": {id: minor}}`"""
    currency = currency_of(raw, home)
    return {
        "id": raw["Id"],
        "amount_minor": _money(raw, "TotalAmt", currency).minor,
        "currency": currency,
        "unapplied_minor": _money({"UnappliedAmt": 0, **raw}, "UnappliedAmt", currency).minor,
        "invoices": {key: money.minor for key, money in _applied(raw, currency).items()},
    }


def record(kind: str, raw: Json, home: HomeCurrency) -> Record:
    """A record that a document of ours may have become. Only its id is needed."""
    found = amount(kind, raw, "TotalAmt", home)
    note = str(raw.get("PrivateNote", ""))
    mark = MARKS.get(kind, "DocNumber")
    payee = "EntityRef" if kind == "Purchase" else "CustomerRef"
    return Record(
        kind=kind,
        id=str(raw["Id"]),
        mark=str(raw.get(mark, "")),
        note=note,
        amount=found,
        date=str(raw.get("TxnDate", "")),
        customer_id=str(part(raw, payee).get("value", "")),
        voided=isinstance(found, Money) and not found and note.startswith("Void"),
    )


def amount(kind: str, raw: Json, name: str, home: HomeCurrency) -> Money | UnreadableRecord:
    """A field that should hold an amount, nothing where it is absent."""
    currency = currency_of(raw, home)
    try:
        return _money({name: 0, **raw}, name, currency)
    except (Unreadable, TypeError) as error:
        return unread(replace(named(kind, raw), field=name, currency=currency), error)


def total(raw: Json, home: HomeCurrency) -> Money:
    """The total of a record. Raises Unreadable."""
    return _money(raw, "TotalAmt", currency_of(raw, home))


def named(kind: str, raw: Json) -> UnreadableRecord:
    """As much of an odd record as its name needs."""
    return UnreadableRecord("quickbooks", f"{kind} {raw['Id']}", "", "", plain(raw.get("CurrencyRef"), "value"))


def _money(raw: Json, name: str, currency: str) -> Money:
    """A field that must hold an amount. Raises Unreadable when it does not."""
    try:
        return from_decimal(raw[name], currency)
    except Refused as refusal:
        raise Unreadable(f"`{name}`: {refusal.message}", field=name) from refusal


def changed_at(raw: Json) -> int:
    """When QuickBooks changed a record last, by its own clock, in UTC seconds, or 0 where it does not say so."""
    try:
        return parse_rfc3339(part(raw, "MetaData")["LastUpdatedTime"])
    except (KeyError, TypeError, ValueError):
        return 0


def email_of(raw: Json) -> str:
    """The primary mail address of a record, or empty."""
    return str(part(raw, "PrimaryEmailAddr").get("Address", ""))


def currency_of(raw: Json, home: HomeCurrency) -> str:
    """The currency of a record. One that names none is in the home currency."""
    return str(part(raw, "CurrencyRef").get("value") or home())


def part(raw: Json, name: str) -> Json:
    """An object inside a record, empty when it is absent."""
    found = raw.get(name)
    return found if isinstance(found, dict) else {}


def entity(answer: Json, name: str) -> Json:
    """The record that an answer carries. Raises Unavailable when it does not."""
    found = answer.get(name)
    if not isinstance(found, dict) or not found.get("Id"):
        raise Unavailable(
            f"QuickBooks' answer holds no {name}",
            hint="Run the same command again later.",
        )
    return found


def _applied(raw: Json, currency: str) -> dict[str, Money]:
    """How much of a payment each invoice got. A line settles one transaction."""
    sums: dict[str, Money] = {}
    for line in raw.get("Line", []):
        for linked in line.get("LinkedTxn", []):
            if linked["TxnType"] == "Invoice":
                part_of_it = _money(line, "Amount", currency)
                sums[linked["TxnId"]] = sums.get(linked["TxnId"], Money.zero(currency)) + part_of_it
    return sums
