"""What each kind of mail says, and to whom, by the state of the moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tillbook.kit.clock import business_date
from tillbook.rules.facts import Fact, PaymentRefunded, PaymentSucceeded, PayoutPaid, RefundFailed
from tillbook.rules.orders import Order, plain
from tillbook.sales import checkouts, company, invoices
from tillbook.sales.balance import open_by_ledger, require_enough
from tillbook.vendors.providers import declared

if TYPE_CHECKING:
    from tillbook.ledger.sales import Invoice
    from tillbook.sales.invoices import Issued
    from tillbook.till import Till

Contents = tuple[str, dict[str, object]]
"""To whom, and what the template may say. Without an address the mail is withdrawn, and `why` says why."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail with what it is about: an invoice, the fact that called for it, or both."""

    kind: str
    invoice: Invoice | None
    fact: Fact | None

    @property
    def of_invoice(self) -> Invoice:
        """The invoice of a mail about a sale."""
        assert self.invoice is not None, f"a mail {self.kind} is about an invoice"
        return self.invoice


def contents_of(till: Till, mail: Mail) -> Contents:
    """To whom a mail goes and what it says. Raises Refused, Unavailable, Uncertain."""
    return _CONTENTS[mail.kind](till, mail)


def _invoice(till: Till, mail: Mail) -> Contents:
    issued = invoices.require_sound(invoices.refresh(till, mail.of_invoice))
    if not issued.booked.balance:
        return "", {"why": "the invoice is paid"}
    context = _sale(till, mail)
    context["pay_url"] = _pay_url(till, issued)
    return str(context["email"]), context


def _pay_url(till: Till, issued: Issued) -> str:
    """Where the invoice can be paid for as long as it is open: our own page, else one that lasts at the provider."""
    if till.settings.base_url:
        require_enough(issued.booked.balance, till.settings.providers)
        return f"{till.settings.base_url}/pay/{issued.invoice.token}"
    return checkouts.lasting_checkout(till, issued).url


def _confirmation(till: Till, mail: Mail) -> Contents:
    context = _sale(till, mail) | _payment(till, mail)
    return str(context["email"]), context


def _owner(till: Till, mail: Mail) -> Contents:
    if not till.settings.mail_owner:
        return "", {"why": "MAIL_OWNER is not set"}
    return till.settings.mail_owner, _sale(till, mail) | _payment(till, mail)


def _refund(till: Till, mail: Mail) -> Contents:
    fact = mail.fact
    assert isinstance(fact, PaymentRefunded), "a refund calls for this mail"
    others = till.ledger.facts.of_payment(fact.provider, fact.payment)
    if any(isinstance(other, RefundFailed) and other.refund == fact.refund for other in others):
        return "", {"why": "the refund failed"}
    given = {
        "amount_refunded": fact.amount.text,
        "refunded_on": _day(till, fact),
        "refund": fact.refund,
    }
    context = _sale(till, mail) | given
    return str(context["email"]), context


def _payout(till: Till, mail: Mail) -> Contents:
    fact = mail.fact
    assert isinstance(fact, PayoutPaid), "a payout calls for this mail"
    if not till.settings.mail_owner or not till.settings.mail_owner_payouts:
        return "", {"why": "MAIL_OWNER or MAIL_OWNER_PAYOUTS is not set"}
    return till.settings.mail_owner, {
        "company": company.known(till).name,
        "provider": declared(fact.provider).title,
        "amount": fact.amount.text,
        "currency": fact.amount.currency,
        "paid_out_on": _day(till, fact),
        "payout": fact.payout,
    }


_CONTENTS: Mapping[str, Callable[[Till, Mail], Contents]] = {
    "invoice": _invoice,
    "confirmation": _confirmation,
    "owner": _owner,
    "refund": _refund,
    "payout": _payout,
}


def _sale(till: Till, mail: Mail) -> dict[str, object]:
    """What every mail about a sale may say. Amounts are texts such as '60.00'."""
    invoice = mail.of_invoice
    customer = till.ledger.sales.customer(invoice.customer) or {"name": "", "email": ""}
    assert invoice.total is not None, "an invoice in the books has a total"
    assert invoice.tax is not None, "an invoice in the books has a tax"
    order = invoice.order()
    return {
        "company": company.known(till).name,
        "customer_name": customer["name"],
        "email": customer["email"],
        "number": invoice.number,
        "currency": invoice.currency,
        "due": invoice.due,
        "total": invoice.total.text,
        "tax": invoice.tax.text if invoice.tax else "",
        **_ordered(order),
    }


def _ordered(order: Order | None) -> dict[str, object]:
    """What the order adds. An invoice made by hand in QuickBooks has none."""
    if order is None:
        return {"lines": [], "subtotal": "", "discount": "", "memo": ""}
    lines = [
        {
            "description": line.description,
            "quantity": plain(line.quantity),
            "unit_price": format(line.unit_price, "f"),
            "amount": line.amount.text,
        }
        for line in order.lines
    ]
    discount = order.discount_amount.text if order.discount else ""
    return {"lines": lines, "subtotal": order.subtotal.text, "discount": discount, "memo": order.memo}


def _payment(till: Till, mail: Mail) -> dict[str, object]:
    """What a mail about one payment says besides."""
    fact, total = mail.fact, mail.of_invoice.total
    assert isinstance(fact, PaymentSucceeded), "a payment calls for this mail"
    assert total is not None, "an invoice in the books has a total"
    remaining = open_by_ledger(total, till.ledger.facts.of_invoice(mail.of_invoice.number))
    return {
        "amount_paid": fact.amount.text,
        "paid_on": _day(till, fact),
        "remaining": remaining.text if remaining else "",
        "payment": fact.payment,
    }


def _day(till: Till, fact: Fact) -> str:
    return business_date(fact.occurred_at, company.zone(till)).isoformat()
