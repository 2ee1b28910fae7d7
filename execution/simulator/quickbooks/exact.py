"""Exact numbers: JSON in and out without floats, and rounding to a currency's decimals.

QuickBooks sends amounts as JSON numbers. Inside the simulator they are decimal strings ("120.50"), which
the World can store. Which fields are numbers is decided by their names, as in Intuit's schema.
"""

from __future__ import annotations

import json
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from json.encoder import encode_basestring_ascii
from typing import Any

from simulator.names import names
from simulator.quickbooks.faults import Fault

ZERO = Decimal(0)
_CENT = Decimal("0.01")
_LARGEST = Decimal(10) ** 13
_WITHOUT_DECIMALS = names("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF")

NUMBERS = frozenset(
    names(
        """Amount AvgCost Balance BalanceWithJobs BillRate BuildPoint CostAmount CreditLimit CurrentBalance
        CurrentBalanceWithSubAccounts Deposit DiscountAmt DiscountPercent DiscountRate ExchangeRate FinanceCharge
        HomeBalance HomeCostAmount HomeTotalAmt HomeTotalCostAmount NetAmountTaxable OpeningBalance OriginalTaxRate
        OverDueBalance Percent PurchaseCost Qty QtyOnHand QtyOnPurchaseOrder QtyOnSalesOrder Rate RatePercent
        RateValue Received RemainingCredit ReorderPoint TaxAmount TaxInclusiveAmt TaxPercent TotalAmt TotalCostAmount
        TotalTax UnappliedAmt UnitPrice"""
    )
)
_BOOLEANS = frozenset(
    names(
        """Active Adjustment ApplyTaxAfterDiscount AutoApplyCredit AutoApplyPayments BillWithParent Credit
        CustomTxnNumbers Job MultiCurrencyEnabled PercentBased SubAccount SubItem Taxable TrackQtyOnHand
        UseAutomatedSalesTax sparse"""
    )
)
# Fields that hold a list of objects, or one object, and never a plain value.
_LISTS = frozenset(["Line", "LinkedTxn", "TaxLine", "NameValue", "CustomField"])
_OBJECTS = frozenset(["BillEmail", "CustomerMemo", "Entity", "DeliveryInfo", "MetaData"])
_OBJECT_ENDINGS = ("Ref", "Detail", "Addr", "Prefs")
_TEXTS = frozenset(
    ["Id", "SyncToken", "TxnId", "TxnLineId", "value", "DocNumber", "PaymentRefNum", "DisplayName", "Name"]
)


def loads(body: bytes) -> Any:
    """Parse JSON with exact decimals. Raises Fault 2010 for anything that is not strict JSON in UTF-8."""
    try:
        return json.loads(body.decode("utf-8"), parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Fault("2010", f"Unreadable JSON: {error}") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def dumps(value: Any, name: str = "") -> str:
    """JSON text. The strings under number fields become number literals, digit for digit."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{encode_basestring_ascii(key)}:{dumps(one, key)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(dumps(one, name) for one in value) + "]"
    if isinstance(value, str):
        return value if name in NUMBERS else encode_basestring_ascii(value)
    return json.dumps(value)


def normal(value: Any, name: str = "") -> Any:
    """A client's value in the simulator's form: empties left out, numbers as decimal strings, ids as text."""
    if value in (None, ""):
        return None
    _check_shape(value, name)
    if isinstance(value, dict):
        pairs = ((key, normal(one, key)) for key, one in value.items())
        return {key: one for key, one in pairs if one not in (None, "", {})}
    if isinstance(value, list):
        if not all(isinstance(one, dict) for one in value):
            raise _wrong_shape(name)
        return [normal(one) for one in value]
    if name in NUMBERS:
        return _number(value, name)
    if name in _BOOLEANS:
        return _boolean(value, name)
    return str(value) if name in _TEXTS or isinstance(value, Decimal) else value


def _check_shape(value: Any, name: str) -> None:
    """Refuse a plain value where an object or list belongs, and the other way round (Fault 2010)."""
    if name in _LISTS:
        wrong = not isinstance(value, list)
    elif name in _OBJECTS or name.endswith(_OBJECT_ENDINGS):
        wrong = not isinstance(value, dict)
    else:
        wrong = name in NUMBERS | _BOOLEANS | _TEXTS and isinstance(value, dict | list)
    if wrong:
        raise _wrong_shape(name)


def _wrong_shape(name: str) -> Fault:
    return Fault("2010", f"Property Name:{name} is malformed", name)


def _number(value: Any, name: str) -> str:
    try:
        number = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) >= _LARGEST:
        raise Fault("2090", f"Invalid Number : {name} is not a supported number", name)
    return format(number, "f")


def _boolean(value: Any, name: str) -> bool:
    text = str(value).lower()
    if text not in ("true", "false"):
        raise Fault("2010", f"Property Name:{name} is no boolean", name)
    return text == "true"


def number(entity: dict[str, Any], name: str, default: Decimal = ZERO) -> Decimal:
    """A number field of an entity or line, or `default`."""
    return Decimal(entity[name]) if name in entity else default


def rounded(value: Decimal, currency: str) -> Decimal:
    """Round half up, away from zero, to the currency's decimals."""
    unit = Decimal(1) if currency in _WITHOUT_DECIMALS else _CENT
    return value.quantize(unit, ROUND_HALF_UP)


def to_hundredth(value: Decimal) -> Decimal:
    """Round half up, away from zero, to two places, whatever the currency."""
    return value.quantize(_CENT, ROUND_HALF_UP)
