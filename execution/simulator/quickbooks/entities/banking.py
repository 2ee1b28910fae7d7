"""Transactions that move money between accounts: Deposit, Transfer, Purchase and JournalEntry."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from simulator.quickbooks import faults
from simulator.quickbooks.company.company import Company
from simulator.quickbooks.company.effects import Application, Effects
from simulator.quickbooks.entities.payments import settleable
from simulator.quickbooks.entities.transaction import (
    at_home,
    in_account,
    money,
    reference,
    set_currency,
    set_home_total,
)
from simulator.quickbooks.exact import ZERO, number
from simulator.world import Json

_PAYABLE_FROM = {"Cash": ("Bank",), "Check": ("Bank",), "CreditCard": ("Credit Card",)}
_BALANCE_SHEET = ("Asset", "Liability", "Equity")
_NAMED = {"Accounts Receivable": "Customer", "Accounts Payable": "Vendor"}


@dataclass
class _Draft:
    """A transaction while it is computed."""

    company: Company
    entity: Json
    currency: str
    effects: Effects = field(default_factory=Effects)

    def post(self, account: Json, amount: Decimal, name: str = "") -> None:
        """Debit (positive) or credit an account with an amount in the transaction's currency."""
        home = at_home(self.company, self.entity, amount)
        figure = in_account(self.company, account, self.currency, amount, home)
        self.effects.post(account, figure, home, name)

    def post_line(self, line: Json, detail_name: str, amount: Decimal, payee: Json | None = None) -> None:
        """Post one line to its account. Receivable and Payable need the customer or vendor."""
        line["DetailType"] = detail_name
        detail = line[detail_name] = dict(line.get(detail_name, {}))
        account = _account(self.company, detail, "AccountRef")
        self.post(account, amount, self._name(account, detail.get("Entity", payee)))

    def _name(self, account: Json, entity: Json | None) -> str:
        """Whose balance a line moves: only Receivable and Payable have names, each in its one currency."""
        kind = _NAMED.get(account["AccountType"])
        if kind is None:
            return ""
        ref = (entity or {}).get("EntityRef", entity)
        if not ref:
            raise faults.business(f"When you use {account['AccountType']}, you must choose a {kind.lower()}", "Entity")
        person = self.company.refer(kind, ref, "Entity")
        for one, label in ((account, "Name"), (person, "DisplayName")):
            if one["CurrencyRef"]["value"] != self.currency:
                raise faults.business(f"{one[label]} is not in the transaction's currency {self.currency}", "Entity")
        return f"{kind}/{person['Id']}"

    def finish(self, account: Json, total: Decimal, signed: Decimal) -> Effects:
        """Write the total and post it to the transaction's own account, exactly against its lines."""
        self.entity["TotalAmt"] = str(total)
        home = -self.effects.imbalance()
        self.effects.post(account, in_account(self.company, account, self.currency, signed, home), home)
        return self.effects


def deposit(company: Company, entity: Json, old: Json | None) -> Effects:
    """Dr the bank account / Cr each line: an account, or payments that waited in Undeposited Funds."""
    account = _account(company, entity, "DepositToAccountRef")
    if account["AccountType"] not in ("Bank", "Other Current Asset"):
        raise faults.business("A deposit needs a bank or other current asset account", "DepositToAccountRef")
    draft = _Draft(company, entity, set_currency(company, entity, _natural(company, entity, account)))
    total = ZERO
    for position, line in enumerate(_lines(entity), start=1):
        amount = money(line, "Amount", draft.currency, "Line.Amount")
        line.update(Id=str(position), LineNum=position, Amount=str(amount))
        if line.get("LinkedTxn"):
            _deposit_linked(draft, line, amount)
        else:
            draft.post_line(line, "DepositLineDetail", -amount)
        total += amount
    set_home_total(company, entity, total)
    return draft.finish(account, total, total)


def _deposit_linked(draft: _Draft, line: Json, amount: Decimal) -> None:
    """A payment or sales receipt moves from Undeposited Funds to the bank. From then on it is locked."""
    company, link = draft.company, line["LinkedTxn"][0]
    source = company.find(str(link.get("TxnType")), str(link.get("TxnId")))
    if source is None or link["TxnType"] not in ("Payment", "SalesReceipt"):
        raise faults.invalid_reference("Txn", str(link.get("TxnId")), "TxnId")
    undeposited = company.undeposited()
    key = f"{link['TxnType']}/{link['TxnId']}"
    if source["DepositToAccountRef"]["value"] != undeposited["Id"] or company.settlements(key):
        raise faults.cannot_link("The linked transaction does not wait in Undeposited Funds")
    if amount != number(source, "TotalAmt"):
        raise faults.business("A deposited transaction must be deposited in full", "Line.Amount")
    draft.post(undeposited, -amount)
    draft.effects.applied.append(Application(key, amount, at_home(company, draft.entity, amount)))


def transfer(company: Company, entity: Json, old: Json | None) -> Effects:
    """Dr the receiving account / Cr the giving one."""
    giving = _account(company, entity, "FromAccountRef")
    receiving = _account(company, entity, "ToAccountRef")
    if giving["Id"] == receiving["Id"]:
        raise faults.business("A transfer needs two different accounts", "ToAccountRef")
    for account in (giving, receiving):
        if account["Classification"] not in _BALANCE_SHEET or account["AccountType"] in _NAMED:
            raise faults.business(f"You can't transfer from or to an account of type {account['AccountType']}")
    foreign = [one for one in (giving, receiving) if one["CurrencyRef"]["value"] != company.home_currency()]
    draft = _Draft(company, entity, set_currency(company, entity, _natural(company, entity, (foreign or [giving])[0])))
    amount = money(entity, "Amount", draft.currency)
    if amount <= 0:
        raise faults.business("The amount of a transfer must be above zero", "Amount")
    entity["Amount"] = str(amount)
    draft.post(receiving, amount)
    draft.post(giving, -amount)
    return draft.effects


def purchase(company: Company, entity: Json, old: Json | None) -> Effects:
    """Dr each line's account / Cr the bank or card account. A card credit goes the other way."""
    if "PaymentType" not in entity:
        raise faults.missing("PaymentType")
    account = _account(company, entity, "AccountRef")
    if account["AccountType"] not in _PAYABLE_FROM.get(entity["PaymentType"], ()):
        raise faults.business(f"A {entity['PaymentType']} purchase needs a bank or credit card account", "AccountRef")
    if entity.get("Credit") and entity["PaymentType"] != "CreditCard":
        raise faults.business("Only a credit card purchase can be a credit", "Credit")
    draft = _Draft(company, entity, set_currency(company, entity, _natural(company, entity, account)))
    _check_payee(company, entity, draft.currency)
    sign = -1 if entity.get("Credit") else 1
    total = ZERO
    for position, line in enumerate(_lines(entity), start=1):
        amount = money(line, "Amount", draft.currency, "Line.Amount")
        line.update(Id=str(position), Amount=str(amount))
        draft.post_line(line, "AccountBasedExpenseLineDetail", amount * sign, entity.get("EntityRef"))
        total += amount
    if total < 0:
        raise faults.business("Transaction amount must be 0 or greater", "TotalAmt")
    if old is not None and settleable(company, "Purchase", entity) < company.settled(f"Purchase/{old['Id']}")[0]:
        raise faults.business("The payments that settle this expense are more than its new amount", "TotalAmt")
    return draft.finish(account, total, -total * sign)


def _check_payee(company: Company, entity: Json, currency: str) -> None:
    if "EntityRef" not in entity:
        return
    kind = str(entity["EntityRef"].get("type", "Vendor")).title()
    payee = company.refer(kind, entity["EntityRef"], "EntityRef")
    if payee["CurrencyRef"]["value"] not in (currency, company.home_currency()):
        raise faults.business(f"The payee {payee['DisplayName']} is not in currency {currency}", "EntityRef")
    entity["EntityRef"] = {**reference(payee, "DisplayName"), "type": kind}


def journal_entry(company: Company, entity: Json, old: Json | None) -> Effects:
    """Debits and credits as they are given. Unequal ones are refused."""
    asked = str(entity.get("CurrencyRef", {}).get("value", company.home_currency()))
    draft = _Draft(company, entity, set_currency(company, entity, asked))
    debits = credits = ZERO
    for position, line in enumerate(_lines(entity)):
        amount = money(line, "Amount", draft.currency, "Line.Amount")
        line.update(Id=str(position), Amount=str(amount))
        side = line.get("JournalEntryLineDetail", {}).get("PostingType")
        if side not in ("Debit", "Credit") or amount < 0:
            raise faults.business("Each line is a Debit or Credit of zero or more", "PostingType")
        signed = amount if side == "Debit" else -amount
        draft.post_line(line, "JournalEntryLineDetail", signed)
        debits, credits = debits + max(signed, ZERO), credits + max(-signed, ZERO)
    if debits != credits:
        raise faults.business("The debits and credits of a journal entry must be equal", "Line")
    entity.update(TotalAmt=str(debits))
    entity.setdefault("Adjustment", False)
    set_home_total(company, entity, debits)
    return _without_rounding(company, draft.effects)


def _without_rounding(company: Company, effects: Effects) -> Effects:
    """Conversion can lose a cent between the lines: it goes to Exchange Gain or Loss."""
    lost = effects.imbalance()
    if lost:
        account = company.exchange_difference()
        effects.post(account, -lost, -lost)
    return effects


# -- shared ----------------------------------------------------------------------------------------


def _account(company: Company, entity: Json, name: str) -> Json:
    if name not in entity:
        raise faults.missing(name)
    account = company.refer("Account", entity[name], name)
    entity[name] = reference(account)
    return account


def _natural(company: Company, entity: Json, account: Json) -> str:
    """A home-currency account takes any currency, another account only its own."""
    own = str(account["CurrencyRef"]["value"])
    return str(entity.get("CurrencyRef", {}).get("value", own)) if own == company.home_currency() else own


def _lines(entity: Json) -> list[Json]:
    lines = [dict(line) for line in entity.get("Line", [])]
    if not lines:
        raise faults.missing("Line")
    entity["Line"] = lines
    return lines
