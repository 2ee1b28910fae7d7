"""What a refund gives back: the sale, a credit, or a payment whose sale stands.

A person says it, or it is plain from the invoice. There is never more given back than there is of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillbook.kit.errors import Refused
from tillbook.kit.money import Money, parse
from tillbook.operations.kinds.books.post_payment import PostPayment
from tillbook.recording.facts import uses_of
from tillbook.rules.facts import InvoiceFact, PaymentRefunded, PaymentSucceeded, RefundFailed
from tillbook.rules.uses import PURPOSES, Allocation, Return

if TYPE_CHECKING:
    from tillbook.ledger import Ledger


def decided(ledger: Ledger, provider: str, payment: str, invoice: str, wanted: Money, purpose: str) -> str:
    """`purpose` when it is possible, or the only one that makes sense when it is empty. Raises Refused.

    While nobody knows the invoice the money stays in Suspense, and what is said counts later.
    """
    if not invoice:
        return purpose or "sale"
    zero = Money.zero(wanted.currency)
    minor = _most(ledger, invoice, payment)
    minor["credit"] = max(minor["credit"], _unapplied(ledger, provider, payment) - minor["given"])
    most = {name: Money(minor[name], wanted.currency) for name in PURPOSES}
    balances = ledger.facts.invoice_balances(invoice)
    owed = balances.get(("Receivable", wanted.currency), zero)
    credit = max(most["credit"], -balances.get(("Customer Credit", wanted.currency), zero))
    if not purpose:
        purpose = _likely(invoice, wanted, most, owed, credit)
    if wanted > most[purpose]:
        raise Refused(
            f"{wanted} is more than {payment} can give back of {_WORDS[purpose]} of invoice {invoice}: {most[purpose]}",
            hint="Give back the parts one by one, each with --amount and --of.",
        )
    return purpose


def of_fact(ledger: Ledger, invoice: str, fact: PaymentRefunded) -> str:
    """What a refund gives back that no operation of the ledger's explains, as its invoice is accounted for now."""
    use = uses_of(ledger, invoice, ledger.facts.of_invoice(invoice)).get((fact.provider, fact.key)) if invoice else None
    if not isinstance(use, Return) or use.sale or use.tax:
        return "sale"
    return "credit" if use.credit else "payment"


_WORDS = {"sale": "the sale", "credit": "the credit", "payment": "what it paid"}


def _likely(invoice: str, wanted: Money, most: dict[str, Money], owed: Money, credit: Money) -> str:
    """Credit while it lasts, else the sale of a paid invoice. Raises Refused where the invoice leaves it open."""
    if wanted <= most["credit"]:
        return "credit"
    if not credit and not owed:
        return "sale"
    why = f"{credit} of it is credit" if credit else f"{owed} is still open on the invoice"
    raise Refused(
        f"it is not clear what {wanted} of invoice {invoice} gives back: {why}",
        hint=f"Say it with --of, one of: {', '.join(PURPOSES)}. `payment` opens the invoice again.",
    )


def _most(ledger: Ledger, invoice: str, payment: str) -> dict[str, int]:
    """Minor units that can go back for each purpose: the sale is the invoice's, credit and payment are this one's.

    `given` is what went back of this payment's credit already.
    """
    facts = ledger.facts.of_invoice(invoice)
    view = uses_of(ledger, invoice, facts)
    sold = sum(fact.total.minor for fact in facts if isinstance(fact, InvoiceFact))
    most = {"sale": sold, "credit": 0, "payment": 0, "given": 0}
    for fact in facts:
        if not isinstance(fact, PaymentSucceeded | PaymentRefunded | RefundFailed):
            continue
        use, own = view[(fact.provider, fact.key)], fact.payment == payment
        if isinstance(use, Return):
            most["sale"] -= use.sale.minor + use.tax.minor
            most["credit"] -= use.credit.minor if own else 0
            most["given"] += use.credit.minor if own else 0
            most["payment"] -= use.reopened.minor if own else 0
        elif isinstance(use, Allocation) and own:
            most["credit"] += use.credit.minor
            most["payment"] += use.applied.minor
    return most


def _unapplied(ledger: Ledger, provider: str, payment: str) -> int:
    """Minor units that QuickBooks could not apply when the payment was posted: somebody had paid there by hand."""
    for document in ledger.documents.of_payment(provider, payment):
        posted = PostPayment.last(ledger, document.key) if document.purpose is PostPayment.purpose() else None
        if posted is not None and posted.state == "done":
            return parse(PostPayment.result_of(posted).unapplied, document.amount.currency).minor
    return 0
