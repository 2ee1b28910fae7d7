"""The company file: its entities, references between them, and what transactions did to its balances."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from simulator.quickbooks import faults
from simulator.quickbooks.company.effects import Effects
from simulator.quickbooks.exact import ZERO, number
from simulator.world import Json, World

# Intuit answers in Pacific time; a fixed offset is enough to make readers parse it.
_ZONE = timezone(timedelta(hours=-8))
_CREDIT_NORMAL = frozenset({"Liability", "Equity"})
_PROFIT_AND_LOSS = frozenset({"Revenue", "Expense"})
TRANSACTIONS = frozenset(
    {
        "Invoice",
        "Payment",
        "SalesReceipt",
        "RefundReceipt",
        "CreditMemo",
        "Deposit",
        "Transfer",
        "Purchase",
        "JournalEntry",
    }
)


class Company:
    """The one company that the simulator's QuickBooks holds, kept in the World under `quickbooks.*` kinds."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.realm: str = world.accounts["quickbooks_realm"]

    # -- time --------------------------------------------------------------------------------------

    def now_text(self) -> str:
        """The simulated moment as Intuit writes it: `2026-11-23T04:05:06-08:00`."""
        return datetime.fromtimestamp(self.world.now(), UTC).astimezone(_ZONE).isoformat()

    def today(self) -> str:
        """The simulated day in the company's zone, as `2026-11-23`."""
        return self.now_text()[:10]

    # -- entities ----------------------------------------------------------------------------------

    def find(self, kind: str, key: str) -> Json | None:
        """The entity of this kind and id, or None."""
        return self.world.get(f"quickbooks.{kind}", key)

    def all(self, kind: str) -> list[Json]:
        """Every entity of a kind, oldest first, inactive ones included."""
        return list(self.world.all(f"quickbooks.{kind}"))

    def next_id(self, kind: str) -> str:
        """Transactions share one series of ids. Each list has its own."""
        return str(self.world.number(f"quickbooks.{'transaction' if kind in TRANSACTIONS else kind}"))

    def insert(self, kind: str, entity: Json) -> Json:
        """Store a new entity. `Id` is given unless it is there already."""
        now = self.now_text()
        head = {"domain": "QBO", "sparse": False, "Id": entity.get("Id") or self.next_id(kind), "SyncToken": "0"}
        stored = {**entity, **head, "MetaData": {"CreateTime": now, "LastUpdatedTime": now}}
        return self.save(kind, stored)

    def save(self, kind: str, entity: Json) -> Json:
        """Store an entity as it is."""
        return self.world.save(f"quickbooks.{kind}", entity["Id"], entity)

    def touch(self, kind: str, entity: Json) -> Json:
        """Store a changed entity with its next SyncToken and time."""
        meta = {**entity["MetaData"], "LastUpdatedTime": self.now_text()}
        return self.save(kind, {**entity, "SyncToken": str(int(entity["SyncToken"]) + 1), "MetaData": meta})

    def remove(self, kind: str, entity: Json) -> None:
        """Delete an entity and remember the deletion for Change Data Capture."""
        self.world.delete(f"quickbooks.{kind}", entity["Id"])
        gone = {"Id": entity["Id"], "domain": "QBO", "status": "Deleted"}
        meta = {"MetaData": {"LastUpdatedTime": self.now_text()}}
        self.world.save("quickbooks.deleted", f"{kind}/{entity['Id']}", {"kind": kind, "entity": {**gone, **meta}})

    def refer(self, kind: str, ref: object, element: str) -> Json:
        """The active entity that `{"value": id}` names. Raises Fault 2500, or 610 when it is inactive."""
        key = str(ref.get("value", "")) if isinstance(ref, dict) else str(ref)
        entity = self.find(kind, key)
        if entity is None:
            raise faults.invalid_reference(kind, key, element)
        if entity.get("Active") is False:
            raise faults.not_found()
        return entity

    # -- settings ----------------------------------------------------------------------------------

    def preferences(self) -> Json:
        """The company's settings."""
        entity = self.find("Preferences", "1")
        if entity is None:
            raise RuntimeError("the company file has no preferences: it was not seeded")
        return entity

    def home_currency(self) -> str:
        """The code of the currency that the books are kept in."""
        return str(self.preferences()["CurrencyPrefs"]["HomeCurrency"]["value"])

    def multi_currency(self) -> bool:
        """Whether the company uses other currencies, too."""
        return bool(self.preferences()["CurrencyPrefs"]["MultiCurrencyEnabled"])

    def check_open(self, date: str) -> None:
        """Raise Fault 6210 when a transaction's date lies in the closed books."""
        closed_until = self.preferences()["AccountingInfoPrefs"].get("BookCloseDate", "")
        if closed_until and date <= closed_until:
            raise faults.closed_books()

    def exchange_rate(self, currency: str) -> Decimal:
        """Home units for one unit of a currency: the last rate of the company's list, 1 when it has none."""
        if currency == self.home_currency():
            return Decimal(1)
        rates = [one for one in self.all("ExchangeRate") if one["SourceCurrencyCode"] == currency]
        return Decimal(max(rates, key=lambda one: str(one["AsOfDate"]))["Rate"]) if rates else Decimal(1)

    def currency_ref(self, code: str) -> Json:
        """A reference to a currency in use. Raises Fault 2500 for another one."""
        for one in self.all("CompanyCurrency"):
            if one["Code"] == code and one["Active"]:
                return {"value": code, "name": one["Name"]}
        if code == self.home_currency():
            return {"value": code, "name": "United States Dollar"}
        raise faults.invalid_reference("Currency", code, "CurrencyRef")

    def account(self, account_type: str, subtype: str, name: str, currency: str = "") -> Json:
        """The company's own account of a type, made when it is needed the first time (A/R per currency)."""
        currency = currency or self.home_currency()
        for one in self.all("Account"):
            if (one["AccountSubType"], one["CurrencyRef"]["value"]) == (subtype, currency) and one["Active"]:
                return one
        own_name = name if currency == self.home_currency() else f"{name} - {currency}"
        return self.insert("Account", new_account(own_name, account_type, subtype, self.currency_ref(currency)))

    def undeposited(self) -> Json:
        """The account of money that was received and not yet brought to the bank."""
        return self.account("Other Current Asset", "UndepositedFunds", "Undeposited Funds")

    def exchange_difference(self) -> Json:
        """The account of what a changed rate makes of an amount."""
        return self.account("Other Expense", "ExchangeGainOrLoss", "Exchange Gain or Loss")

    def receivable(self, currency: str) -> Json:
        """The account of what customers owe in a currency."""
        return self.account("Accounts Receivable", "AccountsReceivable", "Accounts Receivable (A/R)", currency)

    # -- effects -----------------------------------------------------------------------------------

    def effects(self, key: str) -> Effects:
        """What a transaction did to the books. An unknown one did nothing."""
        stored = self.world.get("quickbooks.effects", key)
        return Effects.from_json(stored) if stored else Effects()

    def apply(self, key: str, effects: Effects, date: str) -> None:
        """Make a transaction's effects real. `key` is like "Invoice/12"."""
        self._move(key, effects, 1)
        self.world.save("quickbooks.effects", key, effects.to_json(date))

    def take_back(self, key: str) -> Effects:
        """Undo a transaction's effects. Returns them, so that they can be applied again."""
        effects = self.effects(key)
        self._move(key, effects, -1)
        self.world.delete("quickbooks.effects", key)
        return effects

    def _move(self, key: str, effects: Effects, sign: int) -> None:
        if effects.imbalance():
            raise RuntimeError(f"{key} does not balance by {effects.imbalance()}")
        for posting in effects.postings:
            self._move_account(posting.account, posting.amount * sign)
            if posting.name:
                self._move_name(posting.name, posting.amount * sign)
        for item, quantity in effects.stock.items():
            self._add("Item", item, "QtyOnHand", quantity * sign)
        for application in effects.applied:
            settled = dict(self.world.get("quickbooks.settled", application.target) or {})
            settled.pop(key, None)
            if sign > 0:
                settled[key] = [str(application.amount), str(application.home)]
            self.world.save("quickbooks.settled", application.target, settled)

    def _move_account(self, account: str, amount: Decimal) -> None:
        entity = self.find("Account", account)
        # As in the real books, income and expense accounts show no balance of their own.
        if entity is None or entity["Classification"] in _PROFIT_AND_LOSS:
            return
        change = -amount if entity["Classification"] in _CREDIT_NORMAL else amount
        self._add("Account", account, "CurrentBalance", change)
        self._add("Account", account, "CurrentBalanceWithSubAccounts", change)

    def _move_name(self, name: str, amount: Decimal) -> None:
        kind, _, key = name.partition("/")
        # A vendor's balance is what the company owes.
        self._add(kind, key, "Balance", -amount if kind == "Vendor" else amount)
        if kind == "Customer":
            self._add(kind, key, "BalanceWithJobs", amount)

    def _add(self, kind: str, key: str, field: str, change: Decimal) -> None:
        entity = self.find(kind, key)
        if entity is not None:
            self.save(kind, {**entity, field: str(number(entity, field) + change)})

    def settlements(self, target: str) -> dict[str, tuple[Decimal, Decimal]]:
        """Who settled how much of a transaction: `{"Payment/15": (amount, home)}`."""
        stored = self.world.get("quickbooks.settled", target) or {}
        return {key: (Decimal(amount), Decimal(home)) for key, (amount, home) in stored.items()}

    def settled(self, target: str) -> tuple[Decimal, Decimal]:
        """The sums of `settlements`: amount, and amount at home."""
        parts = list(self.settlements(target).values())
        return sum((one[0] for one in parts), ZERO), sum((one[1] for one in parts), ZERO)


_CLASSIFICATION = {
    "Bank": "Asset",
    "Accounts Receivable": "Asset",
    "Other Current Asset": "Asset",
    "Fixed Asset": "Asset",
    "Other Asset": "Asset",
    "Accounts Payable": "Liability",
    "Credit Card": "Liability",
    "Other Current Liability": "Liability",
    "Long Term Liability": "Liability",
    "Equity": "Equity",
    "Income": "Revenue",
    "Other Income": "Revenue",
    "Cost of Goods Sold": "Expense",
    "Expense": "Expense",
    "Other Expense": "Expense",
}


def new_account(name: str, account_type: str, subtype: str, currency: Json) -> Json:
    """A fresh account. Raises Fault 2500 for a type that QuickBooks does not have."""
    if account_type not in _CLASSIFICATION:
        raise faults.invalid_reference("AccountType", account_type, "AccountType")
    return {
        "Name": name,
        "FullyQualifiedName": name,
        "SubAccount": False,
        "Active": True,
        "Classification": _CLASSIFICATION[account_type],
        "AccountType": account_type,
        "AccountSubType": subtype,
        "CurrentBalance": "0",
        "CurrentBalanceWithSubAccounts": "0",
        "CurrencyRef": currency,
    }
