"""The table of entities: how each is computed, which fields it has, what may be asked and done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulator.quickbooks.company.company import TRANSACTIONS, Company
from simulator.quickbooks.company.effects import Effects
from simulator.quickbooks.entities import banking, lists, payments, sales
from simulator.world import Json

Compute = Callable[[Company, Json, Json | None], Effects]

# Fields that every entity has, and those of every transaction and every sales form.
_ENTITY = "Id SyncToken MetaData CustomField AttachableRef domain status sparse"
_TRANSACTION = """DocNumber TxnDate DepartmentRef CurrencyRef ExchangeRate PrivateNote TxnStatus LinkedTxn Line
    TxnTaxDetail TxnSource TransactionLocationType RecurDataRef ProjectRef"""
_SALES = """CustomerRef CustomerMemo BillAddr ShipAddr FreeFormAddress ShipFromAddr ClassRef SalesTermRef DueDate
    ShipMethodRef ShipDate TrackingNum GlobalTaxCalculation TotalAmt HomeTotalAmt ApplyTaxAfterDiscount PrintStatus
    EmailStatus BillEmail BillEmailCc BillEmailBcc ARAccountRef Balance HomeBalance PaymentMethodRef PaymentRefNum
    PaymentType CheckPayment CreditCardPayment DepositToAccountRef DeliveryInfo TaxExemptionRef PONumber"""
_PERSON = """Title GivenName MiddleName FamilyName Suffix FullyQualifiedName CompanyName DisplayName PrintOnCheckName
    Active PrimaryPhone AlternatePhone Mobile Fax PrimaryEmailAddr WebAddr Notes BillAddr ShipAddr OtherAddr ParentRef
    Balance OpenBalanceDate AcctNum CurrencyRef PrimaryTaxIdentifier"""

_TIMES = "Id MetaData.CreateTime MetaData.LastUpdatedTime"
_ASK_TRANSACTION = f"{_TIMES} DocNumber TxnDate TotalAmt CurrencyRef"
_ASK_NAMED = f"{_TIMES} Name Active FullyQualifiedName"
_ASK_PERSON = f"""{_TIMES} DisplayName GivenName MiddleName FamilyName CompanyName PrintOnCheckName FullyQualifiedName
    PrimaryEmailAddr PrimaryPhone Active Balance CurrencyRef"""


@dataclass(frozen=True)
class Kind:
    """One kind of entity.

    `read_only` are fields that QuickBooks keeps itself: what a client sends for them is ignored.
    `asked` are the fields that a query may filter and sort by. `label` is the field with its name or number.
    """

    name: str
    compute: Compute | None
    fields: frozenset[str]
    asked: frozenset[str]
    read_only: frozenset[str] = frozenset()
    operations: frozenset[str] = frozenset({"create", "update"})

    @property
    def is_transaction(self) -> bool:
        """Whether it has a date and may move money."""
        return self.name in TRANSACTIONS


def _kind(
    name: str, compute: Compute | None, fields: str, asked: str, read_only: str = "", operations: str = ""
) -> Kind:
    return Kind(
        name,
        compute,
        frozenset(f"{_ENTITY} {fields}".split()),
        frozenset(asked.split()),
        frozenset(f"{read_only} MetaData domain status".split()),
        frozenset((operations or "create update").split()),
    )


_CAN_DELETE = "create update delete"
_CAN_VOID = "create update delete void"
_COMPUTED = "TotalAmt HomeTotalAmt Balance HomeBalance LinkedTxn"

_TABLE = (
    _kind(
        "Invoice",
        sales.invoice,
        f"""{_TRANSACTION} {_SALES} Deposit AllowIPNPayment AllowOnlinePayment AllowOnlineCreditCardPayment
        AllowOnlineACHPayment AllowOnlinePayPalPayment EInvoiceStatus InvoiceLink PaymentDetailsMessage""",
        f"{_ASK_TRANSACTION} CustomerRef DueDate Balance EmailStatus PrintStatus SalesTermRef",
        f"{_COMPUTED} InvoiceLink EInvoiceStatus",
        _CAN_VOID,
    ),
    _kind(
        "SalesReceipt",
        sales.sales_receipt,
        f"{_TRANSACTION} {_SALES}",
        f"{_ASK_TRANSACTION} CustomerRef PaymentRefNum",
        _COMPUTED,
        _CAN_VOID,
    ),
    _kind(
        "RefundReceipt",
        sales.refund_receipt,
        f"{_TRANSACTION} {_SALES} RemainingCredit",
        f"{_ASK_TRANSACTION} CustomerRef PaymentRefNum",
        f"{_COMPUTED} RemainingCredit",
        _CAN_DELETE,
    ),
    _kind(
        "CreditMemo",
        sales.credit_memo,
        f"{_TRANSACTION} {_SALES} RemainingCredit InvoiceRef",
        f"{_ASK_TRANSACTION} CustomerRef Balance",
        f"{_COMPUTED} RemainingCredit",
        _CAN_DELETE,
    ),
    _kind(
        "Payment",
        payments.payment,
        f"""{_TRANSACTION} CustomerRef ARAccountRef DepositToAccountRef PaymentMethodRef PaymentRefNum PaymentType
        CheckPayment CreditCardPayment TotalAmt UnappliedAmt ProcessPayment TaxExemptionRef""",
        f"{_TIMES} TxnDate TotalAmt UnappliedAmt CustomerRef PaymentRefNum CurrencyRef PaymentMethodRef",
        "UnappliedAmt LinkedTxn",
        _CAN_VOID,
    ),
    _kind(
        "Deposit",
        banking.deposit,
        f"{_TRANSACTION} DepositToAccountRef CashBack GlobalTaxCalculation TotalAmt HomeTotalAmt",
        f"{_ASK_TRANSACTION} DepositToAccountRef",
        "TotalAmt HomeTotalAmt",
        _CAN_DELETE,
    ),
    _kind(
        "Transfer",
        banking.transfer,
        f"{_TRANSACTION} FromAccountRef ToAccountRef Amount ClassRef",
        f"{_TIMES} TxnDate Amount",
        "",
        _CAN_DELETE,
    ),
    _kind(
        "Purchase",
        banking.purchase,
        f"""{_TRANSACTION} AccountRef PaymentMethodRef PaymentRefNum PaymentType CheckPayment CreditCardPayment
        EntityRef Credit RemitToAddr TotalAmt Memo PrintStatus GlobalTaxCalculation PurchaseEx""",
        f"{_ASK_TRANSACTION} PaymentType AccountRef EntityRef",
        "TotalAmt LinkedTxn",
        _CAN_DELETE,
    ),
    _kind(
        "JournalEntry",
        banking.journal_entry,
        f"{_TRANSACTION} Adjustment GlobalTaxCalculation TotalAmt HomeTotalAmt",
        _ASK_TRANSACTION,
        "TotalAmt HomeTotalAmt",
        _CAN_DELETE,
    ),
    _kind(
        "Customer",
        lists.customer,
        f"""{_PERSON} DefaultTaxCodeRef Taxable Job BillWithParent Level CustomerTypeRef SalesTermRef PaymentMethodRef
        BalanceWithJobs PreferredDeliveryMethod ResaleNum ARAccountRef TaxExemptionReasonId IsProject
        SecondaryTaxIdentifier""",
        f"{_ASK_PERSON} Taxable",
        "Balance BalanceWithJobs FullyQualifiedName Level",
    ),
    _kind(
        "Vendor",
        lists.vendor,
        f"{_PERSON} TaxIdentifier TermRef BillRate Vendor1099 APAccountRef CostRate BusinessNumber",
        f"{_ASK_PERSON} Vendor1099",
        "Balance FullyQualifiedName",
    ),
    _kind("Employee", lists.employee, f"{_PERSON} EmployeeNumber HiredDate", _ASK_PERSON, "Balance"),
    _kind(
        "Item",
        lists.item,
        """Name Sku Description Active SubItem ParentRef Level FullyQualifiedName Taxable SalesTaxIncluded UnitPrice
        RatePercent Type IncomeAccountRef PurchaseDesc PurchaseTaxIncluded PurchaseCost ExpenseAccountRef
        AssetAccountRef PrefVendorRef AvgCost TrackQtyOnHand QtyOnHand ReorderPoint SalesTaxCodeRef PurchaseTaxCodeRef
        InvStartDate AbatementRate ReverseChargeRate ServiceType ItemCategoryType ClassRef TaxClassificationRef""",
        f"{_ASK_NAMED} Sku Type UnitPrice QtyOnHand Taxable",
        "FullyQualifiedName Level",
    ),
    _kind(
        "Account",
        lists.account,
        """Name SubAccount ParentRef Description FullyQualifiedName AccountAlias TxnLocationType Active Classification
        AccountType AccountSubType AcctNum BankNum OpeningBalance OpeningBalanceDate CurrentBalance
        CurrentBalanceWithSubAccounts CurrencyRef TaxAccount TaxCodeRef OnlineBankingEnabled FIName""",
        f"{_ASK_NAMED} AccountType AccountSubType Classification CurrentBalance AcctNum CurrencyRef",
        "CurrentBalance CurrentBalanceWithSubAccounts FullyQualifiedName Classification",
    ),
    _kind("Term", lists.term, "Name Active Type DiscountPercent DueDays DiscountDays", f"{_TIMES} Name Active"),
    _kind("PaymentMethod", lists.payment_method, "Name Active Type", f"{_TIMES} Name Active Type"),
    _kind("Class", lists.tracking_class, "Name SubClass ParentRef FullyQualifiedName Active", _ASK_NAMED),
    _kind("CompanyCurrency", lists.company_currency, "Code Name Active", f"{_TIMES} Code Name Active"),
    _kind(
        "ExchangeRate",
        lists.exchange_rate,
        "SourceCurrencyCode TargetCurrencyCode Rate AsOfDate",
        f"{_TIMES} SourceCurrencyCode AsOfDate",
    ),
    _kind("TaxCode", None, "", f"{_TIMES} Name Active Taxable", "", "none"),
    _kind("TaxRate", None, "", f"{_TIMES} Name Active", "", "none"),
    _kind("TaxAgency", None, "", f"{_TIMES} DisplayName", "", "none"),
    _kind(
        "Preferences",
        lists.preferences,
        """AccountingInfoPrefs ProductAndServicesPrefs SalesFormsPrefs EmailMessagesPrefs VendorAndPurchasesPrefs
        TimeTrackingPrefs TaxPrefs CurrencyPrefs ReportPrefs OtherPrefs""",
        _TIMES,
        "",
        "update",
    ),
    _kind(
        "CompanyInfo",
        lists.company_info,
        """CompanyName LegalName CompanyAddr CustomerCommunicationAddr LegalAddr PrimaryPhone CompanyStartDate
        FiscalYearStartMonth Country Email WebAddr SupportedLanguages DefaultTimeZone NameValue""",
        _TIMES,
        "",
        "update",
    ),
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in _TABLE}
BY_PATH: dict[str, Kind] = {name.lower(): kind for name, kind in KINDS.items()}
