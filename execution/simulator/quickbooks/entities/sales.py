"""Sales forms: Invoice, SalesReceipt, RefundReceipt and CreditMemo share lines, discount, tax and totals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from simulator.quickbooks import faults
from simulator.quickbooks.company.company import Company
from simulator.quickbooks.company.effects import Effects
from simulator.quickbooks.entities.tax import set_tax
from simulator.quickbooks.entities.transaction import (
    at_home,
    deposit_account,
    in_account,
    money,
    reference,
    set_currency,
    set_home_total,
)
from simulator.quickbooks.exact import ZERO, number, rounded
from simulator.world import Json

_HUNDRED = Decimal(100)
_DEPOSIT_TYPES = ("Bank", "Other Current Asset")


@dataclass
class _Form:
    """A sales form while it is computed. `sign` is 1 for a sale and -1 for what takes a sale back."""

    company: Company
    entity: Json
    customer: Json
    currency: str
    sign: int
    subtotal: Decimal = ZERO
    taxable: Decimal = ZERO
    discount: Decimal = ZERO
    tax: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return self.subtotal - self.discount + self.tax


def invoice(company: Company, entity: Json, old: Json | None) -> Effects:
    """Dr Receivable / Cr income and sales tax. Goods leave the stock."""
    form = _compute(company, entity, sign=1)
    entity.setdefault("EmailStatus", "NotSet")
    entity.setdefault("PrintStatus", "NotSet")
    entity.setdefault("DueDate", _due_date(company, entity))
    for name in ("AllowIPNPayment", "AllowOnlinePayment", "AllowOnlineCreditCardPayment", "AllowOnlineACHPayment"):
        entity.setdefault(name, False)
    if old is not None and form.total < company.settled(f"Invoice/{old['Id']}")[0]:
        raise faults.business("The payments applied to this invoice are more than its new total", "TotalAmt")
    return _on_receivable(form)


def credit_memo(company: Company, entity: Json, old: Json | None) -> Effects:
    """Dr income and sales tax / Cr Receivable. Goods return to the stock."""
    form = _compute(company, entity, sign=-1)
    if old is not None and form.total < company.settled(f"CreditMemo/{old['Id']}")[0]:
        raise faults.business("More of this credit is applied than its new total", "TotalAmt")
    return _on_receivable(form)


def sales_receipt(company: Company, entity: Json, old: Json | None) -> Effects:
    """A sale paid at once: Dr the deposit account / Cr income and sales tax."""
    form = _compute(company, entity, sign=1)
    entity["Balance"] = "0"
    return _on_deposit_account(form, _deposit_account(company, entity))


def refund_receipt(company: Company, entity: Json, old: Json | None) -> Effects:
    """Money given back: Dr income and sales tax / Cr the account it is paid from."""
    if "DepositToAccountRef" not in entity:
        raise faults.missing("DepositToAccountRef")
    form = _compute(company, entity, sign=-1)
    entity["Balance"] = "0"
    return _on_deposit_account(form, _deposit_account(company, entity))


def _compute(company: Company, entity: Json, sign: int) -> _Form:
    if "CustomerRef" not in entity:
        raise faults.missing("CustomerRef")
    customer = company.refer("Customer", entity["CustomerRef"], "CustomerRef")
    entity["CustomerRef"] = reference(customer, "DisplayName")
    currency = set_currency(company, entity, customer["CurrencyRef"]["value"])
    check_address(entity.get("BillEmail"))
    form = _Form(company, entity, customer, currency, sign)
    _set_lines(form)
    if form.total < 0:
        raise faults.business("Transaction amount must be 0 or greater", "TotalAmt")
    entity["TotalAmt"] = str(form.total)
    set_home_total(company, entity, form.total)
    return form


def check_address(address: Json | None) -> None:
    """Refuse what cannot be a mail address (Fault 2210)."""
    text = str((address or {}).get("Address", "a@b"))
    name, at, host = text.rpartition("@")
    if not name or not at or not host or " " in text:
        raise faults.Fault("2210", f"Email Address {text} is invalid")


def _due_date(company: Company, entity: Json) -> str:
    days = 0
    if "SalesTermRef" in entity:
        days = int(company.refer("Term", entity["SalesTermRef"], "SalesTermRef").get("DueDays", 0))
    return (date.fromisoformat(entity["TxnDate"]) + timedelta(days=days)).isoformat()


# -- lines -----------------------------------------------------------------------------------------


def _set_lines(form: _Form) -> None:
    """Check and complete the lines, then discount, tax and the subtotal line that QuickBooks adds."""
    given = form.entity.get("Line", [])
    lines = []
    for line in given:
        detail_type = line.get("DetailType")
        if detail_type == "SalesItemLineDetail":
            lines.append(_item_line(form, line))
        elif detail_type == "DescriptionOnly":
            lines.append({**line, "DescriptionLineDetail": line.get("DescriptionLineDetail", {})})
        elif detail_type not in ("SubTotalLineDetail", "DiscountLineDetail", "TaxLineDetail"):
            raise faults.missing("Line.DetailType") if detail_type is None else faults.unknown_property(detail_type)
    if not lines:
        raise faults.missing("Line")
    for position, line in enumerate(lines, start=1):
        line.update(Id=str(position), LineNum=position)
    lines.append({"Amount": str(form.subtotal), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}})
    lines += _discount_lines(form, [line for line in given if line.get("DetailType") == "DiscountLineDetail"])
    form.tax = set_tax(form.company, form.entity, _taxable_part(form), form.currency)
    form.entity["Line"] = lines


def _item_line(form: _Form, line: Json) -> Json:
    amount = money(line, "Amount", form.currency, "Line.Amount")
    detail = dict(line.get("SalesItemLineDetail", {}))
    item = form.company.refer("Item", detail.get("ItemRef", {"value": "1"}), "ItemRef")
    detail["ItemRef"] = reference(item)
    if "UnitPrice" in detail:
        expected = rounded(number(detail, "UnitPrice") * number(detail, "Qty", Decimal(1)), form.currency)
        if expected != number(line, "Amount"):
            raise faults.wrong_amount(line["Amount"])
    code = form.company.refer("TaxCode", detail.get("TaxCodeRef", {"value": "NON"}), "TaxCodeRef")
    detail["TaxCodeRef"] = {"value": code["Id"]}
    form.subtotal += amount
    if code["Taxable"] and form.customer.get("Taxable", True):
        form.taxable += amount
    return {**line, "Amount": str(amount), "SalesItemLineDetail": detail}


def _discount_lines(form: _Form, given: list[Json]) -> list[Json]:
    if not given:
        return []
    if len(given) > 1:
        raise faults.business("Only one discount line is allowed", "Line")
    detail = dict(given[0].get("DiscountLineDetail", {}))
    if detail.get("PercentBased"):
        percent = number(detail, "DiscountPercent")
        form.discount = rounded(form.subtotal * percent / _HUNDRED, form.currency)
    else:
        form.discount = money(given[0], "Amount", form.currency, "Line.Amount")
    account = form.company.account("Income", "DiscountsRefundsGiven", "Discounts given")
    if "DiscountAccountRef" in detail:
        account = form.company.refer("Account", detail["DiscountAccountRef"], "DiscountAccountRef")
    detail["DiscountAccountRef"] = reference(account)
    return [{"Amount": str(form.discount), "DetailType": "DiscountLineDetail", "DiscountLineDetail": detail}]


def _taxable_part(form: _Form) -> Decimal:
    """What the tax is computed on: the taxable lines less their share of a discount before tax."""
    form.entity.setdefault("ApplyTaxAfterDiscount", False)
    if not form.entity["ApplyTaxAfterDiscount"] or not form.subtotal:
        return form.taxable
    return form.taxable - rounded(form.discount * form.taxable / form.subtotal, form.currency)


# -- what it does to the books ---------------------------------------------------------------------


def _on_receivable(form: _Form) -> Effects:
    account = form.company.receivable(form.currency)
    effects = Effects()
    home = at_home(form.company, form.entity, form.total)
    effects.post(account, form.total * form.sign, home * form.sign, f"Customer/{form.customer['Id']}")
    return _add_sale(form, effects)


def _deposit_account(company: Company, entity: Json) -> Json:
    account = deposit_account(company, entity)
    if account["AccountType"] not in _DEPOSIT_TYPES:
        raise faults.business(f"Money cannot go to or from an account of type {account['AccountType']}", "AccountRef")
    entity["DepositToAccountRef"] = reference(account)
    return account


def _on_deposit_account(form: _Form, account: Json) -> Effects:
    effects = Effects()
    home = at_home(form.company, form.entity, form.total)
    amount = in_account(form.company, account, form.currency, form.total, home)
    effects.post(account, amount * form.sign, home * form.sign)
    return _add_sale(form, effects)


def _add_sale(form: _Form, effects: Effects) -> Effects:
    """Income, discount and tax in home currency. Cents lost in conversion go to the first of them."""
    company, sign = form.company, form.sign
    shares: list[tuple[Json, Decimal]] = []
    for line in form.entity["Line"]:
        home = at_home(company, form.entity, number(line, "Amount"))
        if line["DetailType"] == "SalesItemLineDetail":
            shares.append((_income_account(form, line, effects), -home))
        elif line["DetailType"] == "DiscountLineDetail":
            ref = line["DiscountLineDetail"]["DiscountAccountRef"]
            shares.append((company.refer("Account", ref, "DiscountAccountRef"), home))
    tax_account = company.account("Other Current Liability", "SalesTaxPayable", "Sales Tax Payable")
    shares.append((tax_account, -at_home(company, form.entity, form.tax)))
    lost = at_home(company, form.entity, form.total) + sum((share for _, share in shares), ZERO)
    for position, (account, share) in enumerate(shares):
        amount = (share - lost if position == 0 else share) * sign
        effects.post(account, amount, amount)
    return effects


def _income_account(form: _Form, line: Json, effects: Effects) -> Json:
    """The income account of a line's item. Goods also move stock and its cost."""
    detail = line["SalesItemLineDetail"]
    item = form.company.refer("Item", detail["ItemRef"], "ItemRef")
    if item["Type"] == "Inventory":
        quantity = number(detail, "Qty", Decimal(1)) * form.sign
        cost = rounded(quantity * number(item, "PurchaseCost"), form.company.home_currency())
        effects.move_stock(item["Id"], -quantity)
        effects.post(form.company.refer("Account", item["ExpenseAccountRef"], "ExpenseAccountRef"), cost, cost)
        effects.post(form.company.refer("Account", item["AssetAccountRef"], "AssetAccountRef"), -cost, -cost)
    if "IncomeAccountRef" not in item:
        raise faults.business(f"Item {item['Name']} has no income account", "ItemRef")
    return form.company.refer("Account", item["IncomeAccountRef"], "IncomeAccountRef")
