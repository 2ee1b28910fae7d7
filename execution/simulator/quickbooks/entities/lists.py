"""Lists: customers, vendors, items, accounts and the small ones, with their names and rules."""

from __future__ import annotations

import itertools
import re
from decimal import Decimal

from simulator.quickbooks import faults
from simulator.quickbooks.company.company import Company, new_account
from simulator.quickbooks.company.effects import Effects
from simulator.quickbooks.entities.sales import check_address
from simulator.quickbooks.entities.transaction import check_length, reference
from simulator.quickbooks.exact import number
from simulator.world import Json

_PEOPLE = ("Customer", "Vendor", "Employee")
_LONGEST_DISPLAY_NAME = 500
_LONGEST_NAME = 100
_LONGEST_PART = 100
_CODE_LETTERS = 3
_FORBIDDEN = {":": "a colon", "\t": "a tab", "\n": "a new line", "\r": "a new line"}
# A name of something inactive. A second one of the same name gets a number.
_GONE = re.compile(r" \(deleted(?:-[0-9]+)?\)$")


def customer(company: Company, entity: Json, old: Json | None) -> Effects:
    """A customer: a unique display name, one currency for ever."""
    _person(company, "Customer", entity, old)
    for name, value in (("Taxable", True), ("Job", False), ("BillWithParent", False)):
        entity.setdefault(name, value)
    entity.setdefault("BalanceWithJobs", "0")
    entity.setdefault("PreferredDeliveryMethod", "None")
    entity["FullyQualifiedName"] = entity["DisplayName"]
    return Effects()


def vendor(company: Company, entity: Json, old: Json | None) -> Effects:
    """A vendor: shares its names with customers and employees, has one currency."""
    _person(company, "Vendor", entity, old)
    entity.setdefault("Vendor1099", False)
    return Effects()


def employee(company: Company, entity: Json, old: Json | None) -> Effects:
    """An employee: a unique display name."""
    _check_person_name(company, "Employee", entity, old)
    entity.setdefault("Active", True)
    return Effects()


def _person(company: Company, kind: str, entity: Json, old: Json | None) -> None:
    _check_person_name(company, kind, entity, old)
    check_address(entity.get("PrimaryEmailAddr"))
    entity["CurrencyRef"] = _currency(company, entity, old, "a name")
    entity.setdefault("Balance", "0")


def _currency(company: Company, entity: Json, old: Json | None, whose: str) -> Json:
    """The currency of a name or an account: the home currency unless another is named, and never changed."""
    home = company.home_currency()
    code = str(entity.get("CurrencyRef", {}).get("value", old["CurrencyRef"]["value"] if old else home))
    if code != home and not company.multi_currency():
        raise faults.business("Multicurrency is not enabled for this company", "CurrencyRef")
    if old is not None and code != old["CurrencyRef"]["value"]:
        raise faults.business(f"The currency of {whose} cannot be changed", "CurrencyRef")
    return company.currency_ref(code)


def _check_person_name(company: Company, kind: str, entity: Json, old: Json | None) -> None:
    parts = [
        str(entity[part]) for part in ("Title", "GivenName", "MiddleName", "FamilyName", "Suffix") if part in entity
    ]
    name = str(entity.get("DisplayName") or " ".join(parts)).strip(" ")
    if not name:
        raise faults.missing("DisplayName")
    entity["DisplayName"] = name
    for part in ("DisplayName", "GivenName", "MiddleName", "FamilyName", "CompanyName"):
        _check_characters(entity, part)
        check_length(entity, part, _LONGEST_DISPLAY_NAME if part == "DisplayName" else _LONGEST_PART)
    _retire(company, kind, "DisplayName", entity, old)
    for other_kind in _PEOPLE:
        _check_free(company, other_kind, "DisplayName", entity, old if other_kind == kind else None)
    entity.setdefault("PrintOnCheckName", name)


def _check_characters(entity: Json, name: str) -> None:
    for character, words in _FORBIDDEN.items():
        if character in str(entity.get(name, "")):
            raise faults.business(f"The {name} supplied contains {words}, which is not allowed", name)


def _check_free(company: Company, kind: str, label: str, entity: Json, old: Json | None) -> None:
    """Raise Fault 6240 when another entity of the kind bears the name, in letters of any case."""
    wanted = str(entity[label]).casefold()
    for other in company.all(kind):
        if str(other.get(label, "")).casefold() == wanted and (old is None or other["Id"] != old["Id"]):
            raise faults.duplicate_name(other["Id"])


def _retire(company: Company, kind: str, label: str, entity: Json, old: Json | None) -> None:
    """An entity that is made inactive frees its name, as QuickBooks does."""
    entity.setdefault("Active", True)
    was_active = old is None or old["Active"]
    name = str(entity[label])
    if not entity["Active"] and was_active and not _GONE.search(name):
        taken = {str(other.get(label)) for other in company.all(kind)}
        numbered = (f"{name} (deleted-{number})" for number in itertools.count(1))
        entity[label] = next(free for free in itertools.chain([f"{name} (deleted)"], numbered) if free not in taken)
    elif entity["Active"] and not was_active:
        entity[label] = _GONE.sub("", name)


def item(company: Company, entity: Json, old: Json | None) -> Effects:
    """A product or service. Goods need accounts for stock and cost, and open with their quantity on hand."""
    _named(company, "Item", entity, old)
    entity.setdefault("Type", "Service")
    if entity["Type"] not in ("Service", "NonInventory", "Inventory", "Category"):
        raise faults.invalid_reference("ItemType", str(entity["Type"]), "Type")
    goods = entity["Type"] == "Inventory"
    required = ("IncomeAccountRef", "ExpenseAccountRef", "AssetAccountRef") if goods else ("IncomeAccountRef",)
    for name in required if entity["Type"] != "Category" else ():
        if name not in entity:
            raise faults.missing(name)
    for name in ("IncomeAccountRef", "ExpenseAccountRef", "AssetAccountRef"):
        if name in entity:
            entity[name] = reference(company.refer("Account", entity[name], name))
    entity["TrackQtyOnHand"] = goods
    if old is not None and "QtyOnHand" in old:
        entity["QtyOnHand"] = old["QtyOnHand"]  # only transactions move stock
    entity.setdefault("Taxable", False)
    entity.setdefault("UnitPrice", "0")
    return _opening_stock(company, entity) if goods and old is None else Effects()


def _opening_stock(company: Company, entity: Json) -> Effects:
    for name in ("QtyOnHand", "InvStartDate"):
        if name not in entity:
            raise faults.missing(name)
    amount = (number(entity, "QtyOnHand") * number(entity, "PurchaseCost")).quantize(Decimal("0.01"))
    effects = Effects()
    effects.post(company.refer("Account", entity["AssetAccountRef"], "AssetAccountRef"), amount, amount)
    effects.post(company.account("Equity", "OpeningBalanceEquity", "Opening Balance Equity"), -amount, -amount)
    return effects


_SUBTYPES = {
    "Bank": "Checking",
    "Other Current Asset": "OtherCurrentAssets",
    "Other Current Liability": "OtherCurrentLiabilities",
    "Accounts Receivable": "AccountsReceivable",
    "Accounts Payable": "AccountsPayable",
    "Credit Card": "CreditCard",
    "Equity": "OpeningBalanceEquity",
    "Income": "SalesOfProductIncome",
    "Expense": "OtherMiscellaneousServiceCost",
    "Other Income": "OtherMiscellaneousIncome",
    "Other Expense": "OtherMiscellaneousExpense",
    "Cost of Goods Sold": "SuppliesMaterialsCogs",
}


def account(company: Company, entity: Json, old: Json | None) -> Effects:
    """An account. Its type decides its classification, its currency never changes."""
    _named(company, "Account", entity, old)
    if "AccountType" not in entity:
        by_subtype = {subtype: account_type for account_type, subtype in _SUBTYPES.items()}
        if entity.get("AccountSubType") not in by_subtype:
            raise faults.missing("AccountType")
        entity["AccountType"] = by_subtype[entity["AccountSubType"]]
    currency = _currency(company, entity, old, "an account")
    subtype = str(entity.get("AccountSubType") or _SUBTYPES.get(entity["AccountType"], "OtherMiscellaneousExpense"))
    fresh = new_account(entity["Name"], entity["AccountType"], subtype, currency)
    for name, value in fresh.items():
        entity.setdefault(name, value)
    entity.update(Classification=fresh["Classification"], CurrencyRef=fresh["CurrencyRef"])
    return Effects()


def _named(company: Company, kind: str, entity: Json, old: Json | None) -> None:
    if not str(entity.get("Name", "")).strip():
        raise faults.missing("Name")
    entity["Name"] = str(entity["Name"]).strip(" ")
    _check_characters(entity, "Name")
    check_length(entity, "Name", _LONGEST_NAME)
    _retire(company, kind, "Name", entity, old)
    _check_free(company, kind, "Name", entity, old)
    entity["FullyQualifiedName"] = entity["Name"]


def term(company: Company, entity: Json, old: Json | None) -> Effects:
    """How long customers may take to pay."""
    _named(company, "Term", entity, old)
    del entity["FullyQualifiedName"]
    entity.setdefault("Type", "STANDARD")
    return Effects()


def payment_method(company: Company, entity: Json, old: Json | None) -> Effects:
    """How customers pay."""
    _named(company, "PaymentMethod", entity, old)
    del entity["FullyQualifiedName"]
    entity.setdefault("Type", "NON_CREDIT_CARD")
    return Effects()


def tracking_class(company: Company, entity: Json, old: Json | None) -> Effects:
    """A part of the business that lines are assigned to."""
    _named(company, "Class", entity, old)
    entity.setdefault("SubClass", False)
    return Effects()


def company_currency(company: Company, entity: Json, old: Json | None) -> Effects:
    """A currency in use. No two have one code."""
    code = str(entity.get("Code", ""))
    if len(code) != _CODE_LETTERS or not code.isalpha() or not code.isupper():
        raise faults.missing("Code")
    entity.setdefault("Name", code)
    entity.setdefault("Active", True)
    _check_free(company, "CompanyCurrency", "Code", entity, old)
    return Effects()


def exchange_rate(company: Company, entity: Json, old: Json | None) -> Effects:
    """A rate of a currency from a day on, in home units for one unit."""
    for name in ("SourceCurrencyCode", "Rate"):
        if name not in entity:
            raise faults.missing(name)
    entity.setdefault("AsOfDate", company.today())
    entity["TargetCurrencyCode"] = company.home_currency()
    return Effects()


def preferences(company: Company, entity: Json, old: Json | None) -> Effects:
    """The company's settings. The home currency stays what it is."""
    if old is not None:
        entity["CurrencyPrefs"] = {
            **old["CurrencyPrefs"],
            **entity.get("CurrencyPrefs", {}),
            "HomeCurrency": old["CurrencyPrefs"]["HomeCurrency"],
        }
    return Effects()


def company_info(company: Company, entity: Json, old: Json | None) -> Effects:
    """The company's name and addresses, as they are given."""
    return Effects()
