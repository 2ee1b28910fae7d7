"""The person who works in QuickBooks by hand: writes an invoice, takes cash, and tidies up the list of customers."""

from __future__ import annotations

from itertools import count, cycle
from typing import Any

from helpers.sale import Shop, control
from helpers.year.plan import Sale

Json = dict[str, Any]


class Bookkeeper:
    """One person, with a memory of what was tidied up last."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self._turns = count()
        self._deeds = cycle((self._rename, self._retire, self._merge))

    def write_invoice(self, sale: Sale) -> None:
        """A customer and an invoice over 75. Tillbook hears of them when the page is opened."""
        name, mail = f"By hand {sale.number}", {"Address": sale.order["customer"]["email"]}
        currency = {"value": sale.order["currency"]}
        body: Json = {"DisplayName": name, "PrimaryEmailAddr": mail, "CurrencyRef": currency}
        self.shop.entered_by_hand("Customer", body)
        customer = self._record("Customer", "DisplayName", name)
        service = self._record("Item", "Name", "Services")
        detail = {"ItemRef": {"value": service["Id"]}, "TaxCodeRef": {"value": "NON"}}
        line = {"Amount": "75", "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
        body = {"DocNumber": sale.number, "CustomerRef": {"value": customer["Id"]}, "Line": [line]}
        self.shop.entered_by_hand("Invoice", body)

    def take_cash(self, sale: Sale) -> None:
        """All of an invoice, at the counter."""
        invoice = self._record("Invoice", "DocNumber", sale.number)
        line = {"Amount": invoice["TotalAmt"], "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}
        body = {"TotalAmt": invoice["TotalAmt"], "CustomerRef": invoice["CustomerRef"], "Line": [line]}
        self.shop.entered_by_hand("Payment", body)

    def tidy_up(self) -> None:
        """One of our customers gets another name, is made inactive, or becomes one with another of its currency."""
        known = self._customers()
        if known:
            next(self._deeds)(known[next(self._turns) % len(known)], known)

    def _rename(self, customer: Json, _known: list[Json]) -> None:
        self._change(customer, DisplayName=f"{customer['DisplayName']} renamed {customer['Id']}")

    def _retire(self, customer: Json, _known: list[Json]) -> None:
        self._change(customer, Active=False)

    def _merge(self, gone: Json, known: list[Json]) -> None:
        others = [one for one in known if one["Id"] != gone["Id"] and one["CurrencyRef"] == gone["CurrencyRef"]]
        if others:
            control(self.shop.simulator, "merge", {"kept": others[0]["Id"], "gone": gone["Id"]})

    def _change(self, customer: Json, **fields: Any) -> None:
        kept = {name: customer[name] for name in ("Id", "SyncToken")}
        self.shop.entered_by_hand("Customer", {**kept, "sparse": True, **fields})

    def _customers(self) -> list[Json]:
        """Those of our invoices that are still active."""
        world = self.shop.simulator.world
        bills = [one for one in world.all("quickbooks.Invoice") if str(one.get("DocNumber")).startswith("Y-")]
        ours = {bill["CustomerRef"]["value"] for bill in bills}
        return [one for one in world.all("quickbooks.Customer") if one["Id"] in ours and one["Active"]]

    def _record(self, kind: str, name: str, value: str) -> Json:
        return next(one for one in self.shop.simulator.world.all(f"quickbooks.{kind}") if one.get(name) == value)
