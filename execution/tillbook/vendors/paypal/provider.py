"""PayPal: orders that a customer approves on PayPal's page and that we capture, and what its objects prove.

An order bears our operation id as its `custom_id`, and so does every capture of it: so they are known for ours. Only
we capture, so an order that we do not capture never moves money, whoever holds its link.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from tillbook.kit.clock import rfc3339
from tillbook.kit.errors import NotAllowed, Refused, Unavailable
from tillbook.kit.money import Money
from tillbook.operations.kinds.handlers import Handlers
from tillbook.operations.kinds.refunds.refund_payment import RefundPayment
from tillbook.operations.kinds.sales.capture_checkout import CaptureCheckout
from tillbook.operations.kinds.sales.close_checkout import CheckoutClosed, CloseCheckout
from tillbook.operations.kinds.sales.create_checkout import CreateCheckout
from tillbook.rules.events import Event, Reading, UnreadableRecord
from tillbook.rules.facts import Fact
from tillbook.rules.matching import Movement
from tillbook.rules.operations import Evidence, Json, Operation, Plan, Stored
from tillbook.vendors.one_by_one import each
from tillbook.vendors.paypal import orders, statement
from tillbook.vendors.paypal.amounts import paypal_amount
from tillbook.vendors.paypal.calls import PayPalCalls
from tillbook.vendors.paypal.declaration import CLIENT_ID, CLIENT_SECRET
from tillbook.vendors.paypal.objects import (
    capture_facts,
    checkout_state,
    closed_checkout,
    failed_capture,
    is_id,
    is_money,
    link,
    made_capture,
    made_checkout,
    marks,
    named,
    order_of,
    ours,
    payments_of,
    text,
)
from tillbook.vendors.paypal.refunds import made_refund, obstacle, open_disputes, refund_body, refund_facts, released
from tillbook.vendors.paypal.webhooks.events import RELEVANT, listed_event, read_event, shown_event
from tillbook.vendors.paypal.webhooks.signatures import WebhookCheck
from tillbook.vendors.protocols import DISPUTED_SECONDS, Account, CheckoutState, OpenDispute

if TYPE_CHECKING:
    from tillbook.kit.clock import Clock
    from tillbook.kit.settings import Settings
    from tillbook.operations.kinds.refunds.refund_payment import RefundMade, RefundRequest
    from tillbook.operations.kinds.sales.capture_checkout import CheckoutCaptured
    from tillbook.operations.kinds.sales.create_checkout import CheckoutOpened, CheckoutRequest

_ORDERS, _CAPTURES = "/v2/checkout/orders", "/v2/payments/captures"
_DISPUTES, _EVENTS = "/v1/customer/disputes", "/v1/notifications/webhooks-events"
_VERIFY = "/v1/notifications/verify-webhook-signature"
_EVENTS_A_PAGE, _DISPUTES_A_PAGE = "100", "50"
_NO_PERMISSION = ("PERMISSION_DENIED", "NOT_AUTHORIZED")

# PayPal remembers the request id of an order for 6 hours and that of a refund for 45 days. An order's capture is taken
# for the shorter. Reads by id are current: the lag is caution.
_of_an_order = partial(Evidence, window_seconds=6 * 3600, read_lag_seconds=60)
_CREATED = _of_an_order(
    carried_in="`custom_id` of the purchase unit, which its capture bears, too",
    found_by="nothing is looked for, as there is no list of orders: one whose id nobody knows can bring no money, since"
    " nobody has its link and only we capture",
)
_CLOSED = _of_an_order(
    carried_in="nothing: the subject is the order's id, and no call changes anything",
    found_by="reading the order: it was not captured, or it is gone",
)
_CAPTURED = _of_an_order(
    carried_in="`custom_id` of the capture, from its order",
    found_by="reading the order: its capture is the result, whoever made it",
)
_REFUNDED = Evidence(
    carried_in="`custom_id` of the refund",
    found_by="reading the order: all its refunds are in it",
    window_seconds=45 * 86_400,
    read_lag_seconds=60,
)


class PayPalProvider:
    """The PayPal account of the settings. Nothing is asked and no SDK imported before the first call."""

    name = "paypal"

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._calls = PayPalCalls(settings, clock)
        self._handlers = Handlers(
            "PayPal",
            [
                CreateCheckout.handler(self._create, self._find_created, _CREATED),
                CloseCheckout.handler(self._close, self._find_closed, _CLOSED),
                CaptureCheckout.handler(self._capture, self._find_capture, _CAPTURED),
                RefundPayment.handler(self._refund, self._find_refund, _REFUNDED, self._refund_marks),
            ],
        )

    # -- plans and operations ----------------------------------------------------------------------

    def plan_checkout(self, request: CheckoutRequest) -> Plan[CheckoutOpened]:
        """The operation that makes an order. Raises Refused for an amount that PayPal cannot take exactly, and where
        there is no address to come back to: an order of PayPal's lives for hours only, so no page of it lasts."""
        if not request.success_url:
            raise Refused(
                f"PayPal has no page that lasts, so none can be made for {request.invoice}",
                hint="Set TILLBOOK_BASE_URL to the public address of receive_webhooks.py: then links lead to our own"
                " page.",
            )
        paypal_amount(request.amount)
        return CreateCheckout.of(request).plan(self.name)

    def plan_close(self, checkout_id: str) -> Plan[CheckoutClosed]:
        """The operation that promises never to capture an order: PayPal is asked for nothing but how it stands."""
        return CloseCheckout(checkout_id).plan(self.name)

    def plan_refund(self, request: RefundRequest) -> Plan[RefundMade]:
        """The operation that gives money back. Raises Refused for an amount that PayPal cannot pay exactly."""
        paypal_amount(request.amount)
        return RefundPayment.of(request).plan(self.name, request.reference)

    def settle(self, state: CheckoutState) -> Plan[CheckoutCaptured] | None:
        """The capture of an approved order, or None when nothing is missing."""
        return CaptureCheckout(state.id).plan(self.name) if state.status == "approved" else None

    def send(self, operation: Stored) -> Json:
        """Carry an operation out, always under its own id. A capture that PayPal refuses says `not captured: ...`."""
        return self._handlers.send(operation)

    def find(self, operation: Stored) -> Json | None:
        """The result read back from PayPal by id."""
        return self._handlers.find(operation)

    def latest(self, operation: Stored) -> int | None:
        """The newest generation from this one on whose mark PayPal shows."""
        return self._handlers.latest(operation)

    def evidence(self, kind: str) -> Evidence:
        """How long PayPal replays an answer to a request id, and how long a change may be missing from a read."""
        return self._handlers.evidence(kind)

    def _create(self, operation: Operation[CreateCheckout]) -> CheckoutOpened:
        asked, body, at = operation.params.money, orders.order_body(operation), operation.prepared_at
        try:
            return self._calls.change(_ORDERS, body, operation.id, lambda order: made_checkout(order, asked, at))
        except Refused as refusal:
            if refusal.code != "DUPLICATE_INVOICE_ID":
                raise
            number = body["purchase_units"][0]["invoice_id"]
            hint = f"Another payment has the number {number}. The same command again takes the next one by itself."
            raise Refused(refusal.message, hint=hint, code=refusal.code) from refusal

    def _find_created(self, operation: Operation[CreateCheckout]) -> None:
        """Orders have no list, so a lost order is never found: nobody has its link, and only we could capture it."""

    def _close(self, operation: Operation[CloseCheckout]) -> CheckoutClosed:
        return closed_checkout(self._order(operation.params.checkout_id))

    def _find_closed(self, operation: Operation[CloseCheckout]) -> CheckoutClosed | None:
        checkout_id = operation.params.checkout_id
        try:
            return closed_checkout(self._order(checkout_id))
        except Refused as refusal:
            if refusal.code == "complete":
                return None
            if refusal.code != "resource_missing":
                raise
            return CheckoutClosed(checkout_id, "expired")  # its time was over: nobody can capture it now

    def _capture(self, operation: Operation[CaptureCheckout]) -> CheckoutCaptured:
        path = f"{_ORDERS}/{operation.params.checkout_id}/capture"
        try:
            return self._calls.change(path, {}, operation.id, _captured)
        except Refused as refusal:
            if refusal.code == "ORDER_ALREADY_CAPTURED":  # by another program, or by us: it is adopted
                return self._adopted(operation)
            hint = "The customer paid nothing and needs another page: python execution/create_checkout.py"
            raise Refused(f"not captured: {refusal.message}", hint=hint, code=refusal.code) from refusal

    def _adopted(self, operation: Operation[CaptureCheckout]) -> CheckoutCaptured:
        found = self._find_capture(operation)
        if found is None:
            raise Unavailable("PayPal says that the order was captured, and does not show the capture yet")
        return found

    def _find_capture(self, operation: Operation[CaptureCheckout]) -> CheckoutCaptured | None:
        order = self._order_if_any(operation.params.checkout_id)
        return made_capture(order) if order else None  # a captured order stays: one that is gone never was

    def _refund(self, operation: Operation[RefundPayment]) -> RefundMade:
        capture = next(filter(is_money, payments_of(self._paid(operation.params.payment), "captures")), None)
        if capture is None:
            raise Refused(f"{operation.params.payment} has no completed capture, so nothing can be given back")
        path = f"{_CAPTURES}/{text(capture, 'id')}/refund"
        return self._calls.change(path, refund_body(operation), operation.id, made_refund)

    def _find_refund(self, operation: Operation[RefundPayment]) -> RefundMade | None:
        refunds = payments_of(self._paid(operation.params.payment), "refunds")
        return next((made_refund(one) for one in refunds if one.get("custom_id") == operation.id), None)

    def _refund_marks(self, operation: Operation[RefundPayment]) -> Iterator[str]:
        return map(ours, payments_of(self._paid(operation.params.payment), "refunds"))

    def _paid(self, payment: str) -> Json:
        """The order of a payment: without one PayPal lists no refunds, so nothing could be found again."""
        if order := self._order_if_any(payment):
            return order
        raise Refused(
            f"{payment} is no order of PayPal's",
            hint="What another program took without an order is given back in PayPal's dashboard.",
            code="resource_missing",
        )

    # -- reads -------------------------------------------------------------------------------------

    @property
    def key_fingerprint(self) -> str:
        """A hash of the client's id and secret, which the ledger keeps in their place."""
        keys = f"{self.name} {self._settings[CLIENT_ID]} {self._settings[CLIENT_SECRET]}"
        return hashlib.sha256(keys.encode()).hexdigest()

    def account(self) -> Account:
        """The account behind the keys, and whether its money is real."""
        return Account(id=statement.account_id(self._report), livemode=self._livemode)

    def needed_reads(self) -> Mapping[str, Callable[[], object]]:
        """Each report and list that is read. An app may be allowed some of them only. Orders need no permission."""
        now = self._clock.now()
        page = {"page_size": "1"}
        return {
            "transaction search": lambda: next(self.statement(now - 1, now), None),
            "balances": self.balance,
            "webhooks events": lambda: self._calls.read(
                _EVENTS, {**page, "start_time": rfc3339(now - 1), "end_time": rfc3339(now)}
            ),
            "disputes": lambda: self._calls.read(_DISPUTES, page),
        }

    def dispute(self, payment: str) -> str:
        """The status of the dispute that forbids a refund, or empty when there is none."""
        order = self._order_if_any(payment)
        captures = [text(capture, "id") for capture in payments_of(order, "captures")] if order else [payment]
        return next(filter(None, (obstacle(self._disputes(capture)) for capture in captures)), "")

    def open_disputes(self) -> Iterator[OpenDispute]:
        """Every dispute and inquiry of the last half year that waits for our answer."""
        since = rfc3339(self._clock.now() - DISPUTED_SECONDS).replace("Z", ".000Z")
        query = {"start_time": since, "page_size": _DISPUTES_A_PAGE}
        return open_disputes(self._pages(_DISPUTES, "items", query))

    def checkout(self, checkout_id: str) -> CheckoutState:
        """Read a page by id. Raises Refused (code `resource_missing`) when there is none, or when its time is over."""
        return checkout_state(self._order(checkout_id), self._clock.now())

    def read(self, object_id: str) -> Reading:
        """Every fact that an order, or a capture by its order, proves now.

        Raises Refused for what is no id, and with the code `resource_missing` for one that is not there.
        """
        if order := self._order_if_any(object_id):
            return _reading(object_id, order)
        capture = self._get(_CAPTURES, object_id)
        payment = order_of(capture)
        if payment and (order := self._order_if_any(payment)):
            return _reading(object_id, order)
        key = payment or text(capture, "id")
        told = each([capture], lambda one: capture_facts(one, key), partial(named, payment=key))
        return Reading.of(object_id, told, *marks({"purchase_units": [capture]}), ())

    def events(self, since: int, pages: Iterable[str] = ()) -> Iterator[Event | UnreadableRecord]:
        """The events that mean something, created at or after `since`, newest first, as far as PayPal's list has any,
        then what each of the pages shows."""
        raws = (raw for raw in self._listed(since) if raw.get("event_type") in RELEVANT)
        yield from each(raws, partial(listed_event, livemode=self._livemode), named)
        orders = (order for page in pages if (order := self._order_if_any(page)))
        yield from each(orders, partial(shown_event, livemode=self._livemode), named)

    def statement(self, since: int, until: int) -> Iterator[Movement | UnreadableRecord]:
        """What PayPal's transaction search shows from `since` to before `until`, three years back at most."""
        return statement.statement(self._report, since, until, self._clock.now())

    def balance(self) -> dict[str, Money | UnreadableRecord]:
        """What PayPal held for us at its last refresh, by currency."""
        return statement.balance(self._report)

    @property
    def _livemode(self) -> bool:
        return self._settings.mode == "live"

    def _order(self, key: str) -> Json:
        return self._get(_ORDERS, key)

    def _order_if_any(self, key: str) -> Json | None:
        try:
            return self._order(key)
        except Refused as refusal:
            if refusal.code != "resource_missing":
                raise
            return None

    def _get(self, folder: str, key: str) -> Json:
        """One object by its id. Raises Refused for what is no id before anything is asked."""
        if not is_id(key):
            raise Refused(f"{str(key)[:40]!r} is no id of an order or a capture of PayPal's")
        return self._calls.read(f"{folder}/{key}")

    def _report(self, path: str, query: dict[str, str]) -> Json:
        """A report, which PayPal's apps may read only when they were allowed to."""
        try:
            return self._calls.read(path, query)
        except NotAllowed as refusal:
            if refusal.code not in _NO_PERMISSION:
                raise
            hint = "Turn on Transaction Search for the app at developer.paypal.com; PayPal takes some hours to do it."
            raise NotAllowed(refusal.message, hint=hint, code=refusal.code) from refusal

    def _listed(self, since: int) -> Iterator[Json]:
        """Without an end: our clock may be behind PayPal's."""
        return self._pages(_EVENTS, "events", {"start_time": rfc3339(since), "page_size": _EVENTS_A_PAGE})

    def _disputes(self, capture: str) -> Iterator[Json]:
        query = {"disputed_transaction_id": capture, "page_size": _DISPUTES_A_PAGE}
        return self._pages(_DISPUTES, "items", query)

    def _pages(self, path: str, name: str, query: dict[str, str]) -> Iterator[Json]:
        """Every object of a list, page by page, as its links lead. A list that leads in circles raises Unavailable."""
        asked: list[dict[str, str]] = []
        while query:
            asked.append(query)
            answer = self._calls.read(path, query)
            found = answer.get(name) or []  # it is missing where there are none
            if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
                raise Unavailable(f"PayPal's list lacks readable `{name}`")
            yield from found
            query = dict(parse_qsl(urlsplit(link(answer, "next")).query))
            if query in asked:
                raise Unavailable("PayPal's list broke off before its end")

    # -- webhooks ----------------------------------------------------------------------------------

    def webhook_ready(self) -> None:
        """Raise Refused when there is no webhook id to verify with: a receiver must not even start then."""
        self._check.ready()

    def asks_first(self, headers: Mapping[str, str]) -> bool:
        """Whether the certificate is not known yet, or PayPal itself is to judge."""
        return self._check.asks_first(headers)

    def verify(self, headers: Mapping[str, str], body: bytes) -> Event:
        """Check the signature over the raw bytes and its time, then read the envelope."""
        delivery = self._check.check(headers, body)
        return read_event(body, livemode=self._livemode, delivery=delivery)

    @cached_property
    def _check(self) -> WebhookCheck:
        return WebhookCheck(self._settings, self._clock, lambda question: self._calls.post_read(_VERIFY, question))


def _reading(object_id: str, order: Json) -> Reading:
    payment, refunds = text(order, "id"), payments_of(order, "refunds")
    captures = payments_of(order, "captures")
    name = partial(named, payment=payment)
    told: list[Fact | UnreadableRecord] = [*each(captures, lambda capture: capture_facts(capture, payment), name)]
    told += each(refunds, lambda refund: refund_facts([refund], payment), name)
    return Reading.of(object_id, told, *marks(order), released(refunds))


def _captured(order: Json) -> CheckoutCaptured:
    """An order whose capture was asked for just now."""
    result = made_capture(order)
    if result is None:
        raise Unavailable("PayPal's answer lacks the capture")
    if status := failed_capture(order):
        raise Refused(f"PayPal's capture is {status.lower()}", code=status)
    return result
