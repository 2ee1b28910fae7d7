"""The company file as it is on the first day: Harbor Lane Studio LLC of Austin, Texas.

It is made when the first request finds none: in a new state folder, and after a reset.
"""

from __future__ import annotations

from decimal import Decimal

from simulator.quickbooks.company.company import Company, new_account
from simulator.quickbooks.company.effects import Effects
from simulator.world import Json

_USD = {"value": "USD", "name": "United States Dollar"}
_ADDRESS = {
    "Id": "1",
    "Line1": "210 Harbor Lane",
    "City": "Austin",
    "CountrySubDivisionCode": "TX",
    "PostalCode": "78701",
    "Country": "US",
}
_CURRENCIES = {
    "EUR": ("Euro", "1.08"),
    "GBP": ("British Pound Sterling", "1.27"),
    "CAD": ("Canadian Dollar", "0.73"),
    "JPY": ("Japanese Yen", "0.0067"),
    "AUD": ("Australian Dollar", "0.65"),
    "CHF": ("Swiss Franc", "1.13"),
}
# name, type, subtype
_ACCOUNTS = (
    ("Checking", "Bank", "Checking"),
    ("Savings", "Bank", "Savings"),
    ("Accounts Receivable (A/R)", "Accounts Receivable", "AccountsReceivable"),
    ("Accounts Payable (A/P)", "Accounts Payable", "AccountsPayable"),
    ("Undeposited Funds", "Other Current Asset", "UndepositedFunds"),
    ("Inventory Asset", "Other Current Asset", "Inventory"),
    ("Sales Tax Payable", "Other Current Liability", "SalesTaxPayable"),
    ("Opening Balance Equity", "Equity", "OpeningBalanceEquity"),
    ("Retained Earnings", "Equity", "RetainedEarnings"),
    ("Services", "Income", "ServiceFeeIncome"),
    ("Sales of Product Income", "Income", "SalesOfProductIncome"),
    ("Discounts given", "Income", "DiscountsRefundsGiven"),
    ("Cost of Goods Sold", "Cost of Goods Sold", "SuppliesMaterialsCogs"),
    ("Office Expenses", "Expense", "OfficeGeneralAdministrativeExpenses"),
    ("Bank Charges", "Expense", "BankCharges"),
    ("Exchange Gain or Loss", "Other Expense", "ExchangeGainOrLoss"),
)
# name and stock-keeping unit, type, price, description
_SERVICES = (
    ("Services", "Service", "0", "Services", ""),
    ("Hours", "Service", "0", "Hours", ""),
    ("Consulting", "Service", "120", "Consulting, by the hour", "CONSULT"),
    ("Design", "Service", "95", "Design, by the hour", "DESIGN"),
    ("Support", "Service", "60", "Support, by the hour", "SUPPORT"),
    ("Hosting", "NonInventory", "25", "Hosting, by the month", "HOSTING"),
)
# name, price, cost, on hand, stock-keeping unit
_GOODS = (("Mug", "14", "5", "25", "MUG"), ("Poster", "30", "9", "2", "POSTER"))
_OPENING_CASH = Decimal("10000.00")
_VENDORS = ("Blue Heron Supplies", "Lone Star Power", "City Print Works")


def ensure_seeded(company: Company) -> None:
    """Make the company file unless it is there."""
    if company.find("CompanyInfo", "1") is None:
        _settings(company)
        _taxes(company)
        accounts = {
            name: company.insert("Account", new_account(name, account_type, subtype, _USD))
            for name, account_type, subtype in _ACCOUNTS
        }
        _items(company, accounts)
        _opening_balances(company, accounts)
        _lists(company)


def _settings(company: Company) -> None:
    company.insert("CompanyInfo", _company_info())
    company.insert("Preferences", _preferences())
    for code, (name, rate) in _CURRENCIES.items():
        company.insert("CompanyCurrency", {"Code": code, "Name": name, "Active": True})
        company.insert(
            "ExchangeRate",
            {"SourceCurrencyCode": code, "TargetCurrencyCode": "USD", "Rate": rate, "AsOfDate": company.today()},
        )


def _company_info() -> Json:
    return {
        "Id": "1",
        "CompanyName": "Harbor Lane Studio LLC",
        "LegalName": "Harbor Lane Studio LLC",
        "CompanyAddr": _ADDRESS,
        "CustomerCommunicationAddr": _ADDRESS,
        "LegalAddr": _ADDRESS,
        "PrimaryPhone": {"FreeFormNumber": "512-555-0100"},
        "CompanyStartDate": "2020-01-01",
        "FiscalYearStartMonth": "January",
        "Country": "US",
        "Email": {"Address": "books@harborlane.example"},
        "WebAddr": {"URI": "https://harborlane.example"},
        "SupportedLanguages": "en",
        "DefaultTimeZone": "America/Chicago",
        "NameValue": [
            {"Name": "OfferingSku", "Value": "QuickBooks Online Plus"},
            {"Name": "SubscriptionStatus", "Value": "SUBSCRIBED"},
        ],
    }


def _preferences() -> Json:
    return {
        "Id": "1",
        "AccountingInfoPrefs": {
            "UseAccountNumbers": False,
            "TrackDepartments": False,
            "ClassTrackingPerTxn": False,
            "ClassTrackingPerTxnLine": True,
            "FirstMonthOfFiscalYear": "January",
            "TaxYearMonth": "January",
            "CustomerTerminology": "Customers",
        },
        "ProductAndServicesPrefs": {"ForSales": True, "ForPurchase": True, "QuantityOnHand": True},
        "SalesFormsPrefs": {
            "CustomTxnNumbers": True,
            "AllowDeposit": False,
            "AllowDiscount": True,
            "AllowEstimates": True,
            "AllowServiceDate": False,
            "AllowShipping": False,
            "AutoApplyCredit": False,
            "AutoApplyPayments": False,
            "IPNSupportEnabled": False,
        },
        "TaxPrefs": {"UsingSalesTax": True, "PartnerTaxEnabled": True, "TaxGroupCodeRef": {"value": "2"}},
        "CurrencyPrefs": {"MultiCurrencyEnabled": True, "HomeCurrency": {"value": "USD"}},
        "ReportPrefs": {"ReportBasis": "Accrual", "CalcAgingReportFromTxnDate": False},
        "OtherPrefs": {"NameValue": [{"Name": "TaxPrefs.AllowPartnerTaxOverride", "Value": "true"}]},
    }


def _taxes(company: Company) -> None:
    company.insert("TaxAgency", {"DisplayName": "Texas Comptroller", "TaxTrackedOnSales": True})
    rate = {"Name": "Texas", "Description": "Texas and Austin", "Active": True, "RateValue": "8.25"}
    rate["AgencyRef"] = {"value": "1"}
    company.insert("TaxRate", {**rate, "SpecialTaxType": "NONE", "DisplayType": "ReadOnly"})
    for key, name, taxable in (("TAX", "Taxable", True), ("NON", "Nontaxable", False)):
        code = {"Id": key, "Name": name, "Description": name, "Active": True, "Taxable": taxable, "TaxGroup": False}
        company.insert("TaxCode", code)
    rates = [{"TaxRateRef": {"value": "1", "name": "Texas"}, "TaxTypeApplicable": "TaxOnAmount", "TaxOrder": 0}]
    group = {"Id": "2", "Name": "Texas", "Description": "Texas 8.25 %", "Active": True, "Taxable": True}
    lists = {"SalesTaxRateList": {"TaxRateDetail": rates}, "PurchaseTaxRateList": {"TaxRateDetail": []}}
    company.insert("TaxCode", {**group, "TaxGroup": True, **lists})


def _items(company: Company, accounts: dict[str, Json]) -> None:
    def ref(name: str) -> Json:
        return {"value": accounts[name]["Id"], "name": name}

    for name, item_type, price, description, sku in _SERVICES:
        item = {
            **_named(name),
            "Description": description,
            "Taxable": item_type != "Service",
            "UnitPrice": price,
            "Type": item_type,
            "IncomeAccountRef": ref("Services"),
            "TrackQtyOnHand": False,
        }
        company.insert("Item", {**item, "Sku": sku} if sku else item)
    for name, price, cost, on_hand, sku in _GOODS:
        item = {
            **_named(name),
            "Sku": sku,
            "Taxable": True,
            "UnitPrice": price,
            "PurchaseCost": cost,
            "Type": "Inventory",
            "TrackQtyOnHand": True,
            "QtyOnHand": on_hand,
            "InvStartDate": "2020-01-01",
            "IncomeAccountRef": ref("Sales of Product Income"),
            "AssetAccountRef": ref("Inventory Asset"),
            "ExpenseAccountRef": ref("Cost of Goods Sold"),
        }
        company.insert("Item", item)


def _named(name: str) -> Json:
    return {"Name": name, "FullyQualifiedName": name, "Active": True}


def _opening_balances(company: Company, accounts: dict[str, Json]) -> None:
    """Cash in the bank and the goods on the shelf, against Opening Balance Equity."""
    stock = sum((Decimal(cost) * Decimal(on_hand) for _, _, cost, on_hand, _ in _GOODS), Decimal(0))
    effects = Effects()
    for name, amount in (("Checking", _OPENING_CASH), ("Inventory Asset", stock)):
        effects.post(accounts[name], amount, amount)
        effects.post(accounts["Opening Balance Equity"], -amount, -amount)
    company.apply("Opening/1", effects, "2020-01-01")


def _lists(company: Company) -> None:
    for name in _VENDORS:
        vendor = {"DisplayName": name, "PrintOnCheckName": name, "Active": True, "Balance": "0", "CurrencyRef": _USD}
        company.insert("Vendor", vendor)
    customer = {
        "DisplayName": "Ada Ltd",
        "FullyQualifiedName": "Ada Ltd",
        "PrintOnCheckName": "Ada Ltd",
        "CompanyName": "Ada Ltd",
        "PrimaryEmailAddr": {"Address": "ada@example.com"},
        "BillAddr": {**_ADDRESS, "Id": "2", "Line1": "1 Main St"},
        "Active": True,
        "Taxable": True,
        "Job": False,
        "BillWithParent": False,
        "Balance": "0",
        "BalanceWithJobs": "0",
        "CurrencyRef": _USD,
        "PreferredDeliveryMethod": "Email",
    }
    company.insert("Customer", customer)
    for name, days in (("Due on receipt", 0), ("Net 15", 15), ("Net 30", 30), ("Net 60", 60)):
        company.insert("Term", {"Name": name, "Active": True, "Type": "STANDARD", "DueDays": days})
    for name, card in (("Cash", False), ("Check", False), ("Visa", True), ("PayPal", False), ("Stripe", False)):
        method = {"Name": name, "Active": True, "Type": "CREDIT_CARD" if card else "NON_CREDIT_CARD"}
        company.insert("PaymentMethod", method)
