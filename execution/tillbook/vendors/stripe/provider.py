"""Stripe: pages where invoices are paid (Checkout Sessions, and Payment Links that last), and what its objects prove.

A page carries our operation id in its metadata, and so does the payment intent that comes of it: that is how
either is found again and known for ours. A page's id says which of the two it is (`cs_`, `plink_`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tillbook.kit.errors import Refused
from tillbook.kit.money import Money
from tillbook.operations.kinds.handlers import Handlers
from tillbook.operations.kinds.refunds.refund_payment import RefundPayment
from tillbook.operations.kinds.sales.close_checkout import CloseCheckout
from tillbook.operations.kinds.sales.create_checkout import CreateCheckout
from tillbook.rules.events import Event, Reading, UnreadableRecord
from tillbook.rules.facts import Fact
from tillbook.rules.matching import Movement
from tillbook.rules.operations import Evidence, Json, Operation, Plan, Stored
from tillbook.vendors.errors import CHECK_SETUP
from tillbook.vendors.one_by_one import each
from tillbook.vendors.protocols import DISPUTED_SECONDS, Account, CheckoutState, OpenDispute
from tillbook.vendors.stripe import statement
from tillbook.vendors.stripe.amounts import stripe_amount
from tillbook.vendors.stripe.calls import PAGE_SIZE, StripeCalls
from tillbook.vendors.stripe.declaration import SECRET_KEY, WEBHOOK_SECRET
from tillbook.vendors.stripe.links import StripeLinks, is_link
from tillbook.vendors.stripe.objects import (
    charge_facts,
    checkout_state,
    closed_checkout,
    fee_facts,
    is_captured,
    made_checkout,
    named,
    named_fee,
    reference,
    text,
    written,
)
from tillbook.vendors.stripe.payouts import PREFIX, payout_reading
from tillbook.vendors.stripe.refunds import made_refund, obstacle, open_disputes, refund_facts, refund_params, released
from tillbook.vendors.stripe.requests import idempotency_key, session_params
from tillbook.vendors.stripe.webhooks.events import RELEVANT, listed_event, read_event
from tillbook.vendors.stripe.webhooks.signatures import require_signature

if TYPE_CHECKING:
    from stripe import StripeClient
    from stripe.params import DisputeListParams, EventListParams, PayoutRetrieveParams, RefundListParams
    from stripe.params.checkout import SessionListParams

    from tillbook.kit.clock import Clock
    from tillbook.kit.settings import Settings
    from tillbook.operations.kinds.refunds.refund_payment import RefundMade, RefundRequest
    from tillbook.operations.kinds.sales.capture_checkout import CheckoutCaptured
    from tillbook.operations.kinds.sales.close_checkout import CheckoutClosed
    from tillbook.operations.kinds.sales.create_checkout import CheckoutOpened, CheckoutRequest

_DAY_SECONDS = 86400


# Stripe remembers a key for a day at least. Lists and reads by id are documented as current: the lag is caution.
_remembered = partial(Evidence, window_seconds=_DAY_SECONDS, read_lag_seconds=60)
_CREATED = _remembered(
    carried_in="`metadata.operation` of the session or Payment Link, and of its payment intent",
    found_by="the list of Checkout Sessions created since a day before it was prepared; the list of all Payment Links",
)
_CLOSED = _remembered(
    carried_in="nothing: the subject is the id of the session or link",
    found_by="reading it: it can no longer be paid",
)
_REFUNDED = _remembered(
    carried_in="`metadata.operation` of the refund",
    found_by="the list of all refunds of the payment intent",
)


class StripeProvider:
    """The Stripe account of the settings. Nothing is asked and no SDK imported before the first call."""

    name = "stripe"

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._calls = StripeCalls(settings, clock)
        self._links = StripeLinks(self._calls)
        self._handlers = Handlers(
            "Stripe",
            [
                CreateCheckout.handler(self._create, self._find_created, _CREATED, self._page_marks),
                CloseCheckout.handler(self._close, self._find_closed, _CLOSED),
                RefundPayment.handler(self._refund, self._find_refund, _REFUNDED, self._refund_marks),
            ],
        )
        self._webhook_secrets = settings.listed(WEBHOOK_SECRET)

    # -- plans and operations ----------------------------------------------------------------------

    def plan_checkout(self, request: CheckoutRequest) -> Plan[CheckoutOpened]:
        """The operation that opens a page: a session, or a link where there is no address to come back to.

        Raises Refused for an amount that Stripe cannot charge exactly.
        """
        stripe_amount(request.amount)
        return CreateCheckout.of(request).plan(self.name)

    def plan_close(self, checkout_id: str) -> Plan[CheckoutClosed]:
        """The operation that closes an open page for good."""
        return CloseCheckout(checkout_id).plan(self.name)

    def plan_refund(self, request: RefundRequest) -> Plan[RefundMade]:
        """The operation that gives money back. Raises Refused for an amount that Stripe cannot pay exactly."""
        stripe_amount(request.amount)
        return RefundPayment.of(request).plan(self.name, request.reference)

    def settle(self, state: CheckoutState) -> Plan[CheckoutCaptured] | None:
        """Nothing is missing: Stripe moves the money when the customer confirms."""
        return None

    def send(self, operation: Stored) -> Json:
        """Carry an operation out, always under its own key."""
        return self._handlers.send(operation)

    def find(self, operation: Stored) -> Json | None:
        """The result read back from Stripe's lists and objects, never by its search, which lags behind."""
        return self._handlers.find(operation)

    def latest(self, operation: Stored) -> int | None:
        """The newest generation from this one on whose mark Stripe shows."""
        return self._handlers.latest(operation)

    def evidence(self, kind: str) -> Evidence:
        """How long Stripe replays an answer to a key, and how long a change may be missing from a read."""
        return self._handlers.evidence(kind)

    def _create(self, operation: Operation[CreateCheckout]) -> CheckoutOpened:
        if operation.params.lasting:
            return self._links.create(operation)
        params = session_params(operation)
        return self._calls.change(
            lambda stripe: stripe.v1.checkout.sessions.create(params, {"idempotency_key": idempotency_key(operation)}),
            made_checkout,
        )

    def _close(self, operation: Operation[CloseCheckout]) -> CheckoutClosed:
        checkout_id = operation.params.checkout_id
        if is_link(checkout_id):
            return self._links.close(operation)
        try:
            return self._calls.change(
                lambda stripe: stripe.v1.checkout.sessions.expire(
                    checkout_id, options={"idempotency_key": idempotency_key(operation)}
                ),
                closed_checkout,
            )
        except Refused as refusal:
            # Stripe refuses to expire what is not open; only the session itself says which of the two it is.
            closed = closed_checkout(self._session(checkout_id))
            if closed.status == "expired":
                return closed
            code = "complete" if closed.status == "complete" else refusal.code
            raise Refused(refusal.message, hint=refusal.hint, code=code) from refusal

    def _find_created(self, operation: Operation[CreateCheckout]) -> CheckoutOpened | None:
        if operation.params.lasting:
            return self._links.find_created(operation)
        ours = (one for one in self._sessions(operation) if written(one, "operation") == operation.id)
        session = next(ours, None)
        return made_checkout(session) if session else None

    def _page_marks(self, operation: Operation[CreateCheckout]) -> Iterator[str]:
        pages = self._links.all() if operation.params.lasting else self._sessions(operation)
        return (written(page, "operation") for page in pages)

    def _sessions(self, operation: Operation[CreateCheckout]) -> Iterator[Json]:
        """Those that may still be open, and those that an attempt of the operation may have made."""
        since = operation.prepared_at - _DAY_SECONDS

        def page(stripe: StripeClient, after: str) -> Any:
            params: SessionListParams = {"created": {"gte": since}, "limit": PAGE_SIZE}
            if after:
                params["starting_after"] = after
            return stripe.v1.checkout.sessions.list(params)

        return self._calls.pages(page)

    def _find_closed(self, operation: Operation[CloseCheckout]) -> CheckoutClosed | None:
        if is_link(operation.params.checkout_id):
            return self._links.find_closed(operation)
        closed = closed_checkout(self._session(operation.params.checkout_id))
        return closed if closed.status == "expired" else None

    def _refund(self, operation: Operation[RefundPayment]) -> RefundMade:
        params = refund_params(operation)
        return self._calls.change(
            lambda stripe: stripe.v1.refunds.create(params, {"idempotency_key": idempotency_key(operation)}),
            made_refund,
        )

    def _find_refund(self, operation: Operation[RefundPayment]) -> RefundMade | None:
        refunds = self._refunds(operation.params.payment)
        return next((made_refund(one) for one in refunds if written(one, "operation") == operation.id), None)

    def _refund_marks(self, operation: Operation[RefundPayment]) -> Iterator[str]:
        return (written(one, "operation") for one in self._refunds(operation.params.payment))

    def _refunds(self, payment: str) -> Iterator[Json]:
        """Every refund of an intent, those that failed too."""
        expand = ["data.failure_balance_transaction"]

        def page(stripe: StripeClient, after: str) -> Any:
            params: RefundListParams = {"payment_intent": payment, "limit": PAGE_SIZE, "expand": expand}
            if after:
                params["starting_after"] = after
            return stripe.v1.refunds.list(params)

        return self._calls.pages(page)

    # -- reads -------------------------------------------------------------------------------------

    @property
    def key_fingerprint(self) -> str:
        """A hash of the key, which the ledger keeps in its place."""
        return hashlib.sha256(f"{self.name} {self._settings[SECRET_KEY]}".encode()).hexdigest()

    def account(self) -> Account:
        """The account behind the key, and whether its money is real."""
        account = self._calls.read(lambda stripe: stripe.v1.accounts.retrieve_current())
        return Account(id=text(account, "id"), livemode=self._livemode())

    def needed_reads(self) -> Mapping[str, Callable[[], object]]:
        """Each list that is read, asked for one object. A restricted key may read some of them only."""
        lists: dict[str, Callable[[StripeClient], Any]] = {
            "events": lambda stripe: stripe.v1.events.list({"limit": 1}),
            "payment intents": lambda stripe: stripe.v1.payment_intents.list({"limit": 1}),
            "checkout sessions": lambda stripe: stripe.v1.checkout.sessions.list({"limit": 1}),
            "payment links": lambda stripe: stripe.v1.payment_links.list({"limit": 1}),
            "charges": lambda stripe: stripe.v1.charges.list({"limit": 1}),
            "refunds": lambda stripe: stripe.v1.refunds.list({"limit": 1}),
            "disputes": lambda stripe: stripe.v1.disputes.list({"limit": 1}),
            "payouts": lambda stripe: stripe.v1.payouts.list({"limit": 1}),
            "balance transactions": lambda stripe: stripe.v1.balance_transactions.list({"limit": 1}),
            "balance": lambda stripe: stripe.v1.balance.retrieve(),
        }
        return {name: partial(self._calls.read, call) for name, call in lists.items()}

    def dispute(self, payment: str) -> str:
        """The status of the dispute that forbids a refund, or empty when there is none."""

        def page(stripe: StripeClient, after: str) -> Any:
            params: DisputeListParams = {"payment_intent": payment, "limit": PAGE_SIZE}
            if after:
                params["starting_after"] = after
            return stripe.v1.disputes.list(params)

        return obstacle(self._calls.pages(page))

    def open_disputes(self) -> Iterator[OpenDispute]:
        """Every dispute and inquiry of the last half year that waits for our answer."""
        since = self._clock.now() - DISPUTED_SECONDS

        def page(stripe: StripeClient, after: str) -> Any:
            params: DisputeListParams = {"created": {"gte": since}, "limit": PAGE_SIZE}
            if after:
                params["starting_after"] = after
            return stripe.v1.disputes.list(params)

        return open_disputes(self._calls.pages(page))

    def checkout(self, checkout_id: str) -> CheckoutState:
        """Read a page by id. Raises Refused (code `resource_missing`) when there is none."""
        return self._links.state(checkout_id) if is_link(checkout_id) else checkout_state(self._session(checkout_id))

    def read(self, object_id: str) -> Reading:
        """Every fact that a payment intent (`pi_`), a session (`cs_`) or a payout (`po_`) proves now.

        Raises Refused for an id of another kind, and with the code `resource_missing` for one that is not there.
        """
        if object_id.startswith("pi_"):
            return self._read_intent(object_id)
        if object_id.startswith(PREFIX):
            return self._read_payout(object_id)
        if not object_id.startswith("cs_"):
            raise Refused(f"{object_id[:40]!r} is no payment intent (pi_), checkout session (cs_) or payout (po_)")
        session = self._session(object_id)
        payment = reference(session, "payment_intent")
        if payment:
            return replace(self._read_intent(payment), object_id=object_id)
        return Reading(object_id, (), written(session, "operation"), written(session, "invoice"))

    def _read_payout(self, payout_id: str) -> Reading:
        expanded: PayoutRetrieveParams = {"expand": ["balance_transaction"]}
        return payout_reading(self._calls.read(lambda stripe: stripe.v1.payouts.retrieve(payout_id, expanded)))

    def events(self, since: int, pages: Iterable[str] = ()) -> Iterator[Event | UnreadableRecord]:
        """The events that mean something, created at or after `since`, newest first. Their body is canonical JSON.

        Stripe's list tells of every page, so none is asked for by itself.
        """

        def page(stripe: StripeClient, after: str) -> Any:
            params: EventListParams = {"types": sorted(RELEVANT), "created": {"gte": since}, "limit": PAGE_SIZE}
            if after:
                params["starting_after"] = after
            return stripe.v1.events.list(params)

        return each(self._calls.pages(page), listed_event, named)

    def statement(self, since: int, until: int) -> Iterator[Movement | UnreadableRecord]:
        """The balance transactions created from `since` to before `until`, as movements."""
        return statement.statement(self._calls, since, until)

    def balance(self) -> dict[str, Money | UnreadableRecord]:
        """Available, pending and reserved, by currency."""
        return statement.balance(self._calls)

    def _livemode(self) -> bool:
        """The mode of the key, which the account object does not say: in the key's own name, else asked of Stripe."""
        if mode := SECRET_KEY.mode_of(self._settings[SECRET_KEY]):
            return mode == "live"
        balance = self._calls.read(lambda stripe: stripe.v1.balance.retrieve())
        return balance.get("livemode") is not False

    def _read_intent(self, payment: str) -> Reading:
        """One call in the usual case: the intent with its latest charge and that charge's balance transaction."""
        expand = [
            "latest_charge.balance_transaction",
            "latest_charge.refunds.data.failure_balance_transaction",
        ]
        intent = self._calls.read(lambda stripe: stripe.v1.payment_intents.retrieve(payment, {"expand": expand}))
        latest = intent.get("latest_charge")
        charges = [latest] if isinstance(latest, dict) else []
        if text(intent, "status") == "succeeded" and not any(map(is_captured, charges)):
            charges = list(self._charges(payment))
        refunds = [refund for charge in charges for refund in self._refunds_of(charge, payment)]
        told: list[Fact | UnreadableRecord] = [*each(charges, charge_facts, named)]
        told += each(charges, fee_facts, named_fee)
        told += each(refunds, lambda refund: refund_facts([refund], payment), named)
        ours = written(intent, "operation"), written(intent, "invoice")
        return Reading.of(payment, told, *ours, released(refunds))

    def _refunds_of(self, charge: Json, payment: str) -> list[Json]:
        """The refunds that came with a charge, or all of them where Stripe kept some back."""
        listed = charge.get("refunds")
        whole = not listed.get("has_more") if isinstance(listed, dict) else not charge.get("amount_refunded")
        return list((listed or {}).get("data", [])) if whole else list(self._refunds(payment))

    def _charges(self, payment: str) -> Iterator[Json]:
        """Every attempt of an intent, for the case that the latest is not the one that succeeded."""
        expand = ["data.balance_transaction", "data.refunds.data.failure_balance_transaction"]
        return self._calls.pages(
            lambda stripe, after: stripe.v1.charges.list(
                {"payment_intent": payment, "limit": PAGE_SIZE, "expand": expand, "starting_after": after}
                if after
                else {"payment_intent": payment, "limit": PAGE_SIZE, "expand": expand}
            )
        )

    def _session(self, checkout_id: str) -> Json:
        if not checkout_id.startswith("cs_"):
            raise Refused(f"{checkout_id[:40]!r} is no checkout session (cs_) of Stripe's")
        return self._calls.read(
            lambda stripe: stripe.v1.checkout.sessions.retrieve(checkout_id, {"expand": ["payment_intent"]})
        )

    # -- webhooks ----------------------------------------------------------------------------------

    def webhook_ready(self) -> None:
        """Raise Refused when there is no secret to verify with: a receiver must not even start then."""
        if not self._webhook_secrets:
            raise Refused(
                "STRIPE_WEBHOOK_SECRET is empty, so no event could be verified",
                hint=f"Set it to the endpoint's signing secret (whsec_...), then run: {CHECK_SETUP}",
            )

    def asks_first(self, headers: Mapping[str, str]) -> bool:
        """Never: the secret is here."""
        return False

    def verify(self, headers: Mapping[str, str], body: bytes) -> Event:
        """Check the signature over the raw bytes and its time, then read the envelope."""
        self.webhook_ready()
        header = headers.get("stripe-signature", "")
        require_signature(header, body, self._webhook_secrets, now=self._clock.now())
        return read_event(body)
