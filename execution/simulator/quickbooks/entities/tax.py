"""Sales tax as a US company with automated sales tax has it, at one fixed rate per tax code."""

from __future__ import annotations

from decimal import Decimal

from simulator.quickbooks.company.company import Company
from simulator.quickbooks.exact import ZERO, number, rounded, to_hundredth
from simulator.rough import habits
from simulator.world import Json

_HUNDRED = Decimal(100)


def set_tax(company: Company, entity: Json, taxable: Decimal, currency: str) -> Decimal:
    """Write `TxnTaxDetail` for the taxable part of a sales form. Returns the total tax."""
    detail = entity.get("TxnTaxDetail", {})
    code = _tax_code(company, detail)
    if not company.preferences()["TaxPrefs"]["UsingSalesTax"] or not taxable or code is None:
        entity["TxnTaxDetail"] = {"TotalTax": "0"}
        return ZERO
    lines = [_tax_line(company, part, taxable, currency) for part in code["SalesTaxRateList"]["TaxRateDetail"]]
    total = sum((number(line, "Amount") for line in lines), ZERO)
    if _may_override(company, detail):
        total = rounded(number(detail, "TotalTax"), currency)
        lines[0]["Amount"] = str(total - sum((number(line, "Amount") for line in lines[1:]), ZERO))
    ref = {"value": code["Id"], "name": code["Name"]}
    entity["TxnTaxDetail"] = {"TxnTaxCodeRef": ref, "TotalTax": str(total), "TaxLine": lines}
    return total


def _tax_code(company: Company, detail: Json) -> Json | None:
    """The code of the whole transaction, None for NON and for a code without rates."""
    default = company.preferences()["TaxPrefs"].get("TaxGroupCodeRef", {"value": "2"})
    ref = detail.get("TxnTaxCodeRef", default)
    code = company.refer("TaxCode", default if ref["value"] == "TAX" else ref, "TxnTaxCodeRef")
    return code if code.get("SalesTaxRateList", {}).get("TaxRateDetail") else None


def _tax_line(company: Company, part: Json, taxable: Decimal, currency: str) -> Json:
    rate = company.refer("TaxRate", part["TaxRateRef"], "TaxRateRef")
    exact = taxable * number(rate, "RateValue") / _HUNDRED
    amount = to_hundredth(exact) if habits.has(company.world, "fractions") else rounded(exact, currency)
    return {
        "Amount": str(amount),
        "DetailType": "TaxLineDetail",
        "TaxLineDetail": {
            "TaxRateRef": {"value": rate["Id"]},
            "PercentBased": True,
            "TaxPercent": rate["RateValue"],
            "NetAmountTaxable": str(taxable),
        },
    }


def _may_override(company: Company, detail: Json) -> bool:
    """The client's own total holds only when it says so and the company allows it."""
    wanted = detail.get("UseAutomatedSalesTax") is False and "TotalTax" in detail
    settings = company.preferences().get("OtherPrefs", {}).get("NameValue", [])
    allowed = {one["Name"]: one["Value"] for one in settings}.get("TaxPrefs.AllowPartnerTaxOverride")
    return wanted and allowed == "true"
