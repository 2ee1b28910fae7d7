"""Payments: money received from a customer, applied to invoices (and credits), or left as unapplied credit."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from simulator.quickbooks import faults
from simulator.quickbooks.company.company import Company
from simulator.quickbooks.company.effects import Application, Effects
from simulator.quickbooks.entities.transaction import (
    at_home,
    deposit_account,
    in_account,
    money,
    reference,
    set_currency,
)
from simulator.quickbooks.exact import ZERO, number, rounded
from simulator.world import Json

# How a link is called in a payment's line, and the entity that it names.
LINKS = {"Invoice": "Invoice", "CreditMemo": "CreditMemo", "Expense": "Purchase", "Check": "Purchase"}
_DEPOSIT_TYPES = ("Bank", "Other Current Asset", "Credit Card")


@dataclass
class _Draft:
    """A payment while it is computed. `used` is what its lines apply, in its currency and at home."""

    company: Company
    entity: Json
    customer: Json
    currency: str
    total: Decimal
    used: Decimal = ZERO
    used_home: Decimal = ZERO
    effects: Effects = field(default_factory=Effects)


def payment(company: Company, entity: Json, old: Json | None) -> Effects:
    """Dr the deposit account / Cr Receivable. The invoices it settles are in `applied`."""
    if "CustomerRef" not in entity:
        raise faults.missing("CustomerRef")
    customer = company.refer("Customer", entity["CustomerRef"], "CustomerRef")
    entity["CustomerRef"] = reference(customer, "DisplayName")
    currency = set_currency(company, entity, customer["CurrencyRef"]["value"])
    draft = _Draft(company, entity, customer, currency, money(entity, "TotalAmt", currency))
    if draft.total < 0:
        raise faults.business("Transaction amount must be 0 or greater", "TotalAmt")
    if old is None and "Line" not in entity and company.preferences()["SalesFormsPrefs"].get("AutoApplyPayments"):
        entity["Line"] = _automatic_lines(company, customer, draft.total)
    _apply_lines(draft)
    if draft.used > draft.total or draft.used < 0:
        raise faults.business("The lines of this payment are more than its amount", "Line")
    entity.update(TotalAmt=str(draft.total), UnappliedAmt=str(draft.total - draft.used), ProcessPayment=False)
    _post(draft)
    return draft.effects


def _post(draft: _Draft) -> None:
    """The invoices leave Receivable at their own rate. What the payment's rate makes of it is gain or loss."""
    company, entity, effects = draft.company, draft.entity, draft.effects
    account = _deposit_account(company, entity)
    home = at_home(company, entity, draft.total)
    effects.post(account, in_account(company, account, draft.currency, draft.total, home), home)
    settled_home = draft.used_home + at_home(company, entity, draft.total - draft.used)
    name = f"Customer/{draft.customer['Id']}"
    effects.post(company.receivable(draft.currency), -draft.total, -settled_home, name)
    difference = settled_home - home
    if difference:
        gain_or_loss = company.exchange_difference()
        effects.post(gain_or_loss, difference, difference)


def _deposit_account(company: Company, entity: Json) -> Json:
    account = deposit_account(company, entity)
    if account["AccountType"] not in _DEPOSIT_TYPES:
        raise faults.business(
            f"You can't deposit to an account of type {account['AccountType']}", "DepositToAccountRef"
        )
    entity["DepositToAccountRef"] = {"value": account["Id"]}
    return account


# -- lines -----------------------------------------------------------------------------------------


def _apply_lines(draft: _Draft) -> None:
    """Check each line against what its target has open, and sum up what the lines use."""
    lines = []
    for line in draft.entity.get("Line", []):
        amount = money(line, "Amount", draft.currency, "Line.Amount")
        kind, target = _target(draft.company, line, draft.customer)
        key = f"{kind}/{target['Id']}"
        if any(one.target == key for one in draft.effects.applied):
            raise faults.cannot_link("A transaction is linked twice in one payment")
        home = _settle(draft.company, key, kind, target, amount)
        draft.effects.applied.append(Application(key, amount, home))
        sign = -1 if kind == "CreditMemo" else 1
        draft.used += amount * sign
        draft.used_home += home * sign
        lines.append({"Amount": str(amount), "LinkedTxn": [_link(line)]})
    draft.entity["Line"] = lines


def _link(line: Json) -> Json:
    links = line.get("LinkedTxn", [])
    if len(links) != 1 or "TxnId" not in links[0] or "TxnType" not in links[0]:
        raise faults.missing("Line.LinkedTxn")
    return {"TxnId": links[0]["TxnId"], "TxnType": links[0]["TxnType"]}


def _target(company: Company, line: Json, customer: Json) -> tuple[str, Json]:
    link = _link(line)
    kind = LINKS.get(str(link["TxnType"]))
    if kind is None:
        raise faults.cannot_link(f"A payment cannot be linked to a {link['TxnType']}")
    target = company.find(kind, link["TxnId"])
    if target is None:
        raise faults.invalid_reference("Txn", link["TxnId"], "TxnId")
    owner: Json = target.get("CustomerRef") or target.get("EntityRef") or {}
    if owner.get("value") != customer["Id"]:
        raise faults.cannot_link("The linked transaction belongs to another customer")
    return kind, target


def _settle(company: Company, key: str, kind: str, target: Json, amount: Decimal) -> Decimal:
    """The home amount that leaves Receivable. Raises Fault 6000 beyond what the target has open."""
    owed = open_amount(company, kind, target)
    if amount <= 0 or amount > owed:
        raise faults.business(
            f"The amount {amount} applied to {kind} {target['Id']} is not within its open balance {owed}", "Line.Amount"
        )
    if amount == owed:
        return at_home(company, target, settleable(company, kind, target)) - company.settled(key)[1]
    return rounded(amount * number(target, "ExchangeRate", Decimal(1)), company.home_currency())


def settleable(company: Company, kind: str, target: Json) -> Decimal:
    """What payments can settle of a transaction: all of it, of a purchase only its lines on Receivable."""
    if kind != "Purchase":
        return number(target, "TotalAmt")
    receivable = company.receivable(target.get("CurrencyRef", {}).get("value", company.home_currency()))
    details = ((line, line.get("AccountBasedExpenseLineDetail", {})) for line in target["Line"])
    parts = [
        number(line, "Amount") for line, one in details if one.get("AccountRef", {}).get("value") == receivable["Id"]
    ]
    return sum(parts, ZERO)


def open_amount(company: Company, kind: str, target: Json) -> Decimal:
    """What payments can still settle of a transaction."""
    return settleable(company, kind, target) - company.settled(f"{kind}/{target['Id']}")[0]


def _automatic_lines(company: Company, customer: Json, total: Decimal) -> list[Json]:
    """With AutoApplyPayments on, QuickBooks spreads a payment over the oldest open invoices by itself."""
    lines: list[Json] = []
    left = total
    invoices = [one for one in company.all("Invoice") if one["CustomerRef"]["value"] == customer["Id"]]
    for one in sorted(invoices, key=lambda invoice: (str(invoice["TxnDate"]), int(invoice["Id"]))):
        amount = min(left, open_amount(company, "Invoice", one))
        if amount > 0:
            lines.append({"Amount": str(amount), "LinkedTxn": [{"TxnId": one["Id"], "TxnType": "Invoice"}]})
            left -= amount
    return lines


# -- what a settled transaction shows --------------------------------------------------------------


def show_settlement(company: Company, kind: str, key: str, *, changed: bool) -> None:
    """Write the balance and links of a transaction after something was applied to it or taken back.

    `changed` gives it a new SyncToken and time, as QuickBooks does to an invoice when it is paid.
    """
    entity = company.find(kind, key)
    if entity is None:
        return
    target = f"{kind}/{key}"
    amount, home = company.settled(target)
    entity = dict(entity)
    if kind in ("Invoice", "CreditMemo"):
        balance = number(entity, "TotalAmt") - amount
        entity["Balance"] = str(balance)
        if kind == "CreditMemo":
            entity["RemainingCredit"] = str(balance)
        if company.multi_currency():
            entity["HomeBalance"] = str(at_home(company, entity, number(entity, "TotalAmt")) - home)
    links = [_back_link(one) for one in company.settlements(target)]
    entity["LinkedTxn"] = links
    if changed:
        company.touch(kind, entity)
    else:
        company.save(kind, entity)


def _back_link(key: str) -> Json:
    kind, _, identifier = key.partition("/")
    return {"TxnId": identifier, "TxnType": kind}
