"""Acorn behind the `Provider` protocol."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from helpers.providers.acorn import objects
from helpers.providers.acorn.calls import AcornCalls
from helpers.providers.acorn.declaration import API_KEY, WEBHOOK_SECRET
from tillbook.kit import strict_json
from tillbook.kit.errors import Forged, Refused
from tillbook.kit.money import Money
from tillbook.operations.kinds.handlers import Handlers
from tillbook.operations.kinds.refunds.refund_payment import RefundPayment
from tillbook.operations.kinds.sales.close_checkout import CloseCheckout
from tillbook.operations.kinds.sales.create_checkout import CreateCheckout
from tillbook.rules.events import Event, Reading, UnreadableRecord
from tillbook.rules.facts import Fact
from tillbook.rules.operations import Evidence, Json, Operation, Stored
from tillbook.vendors.one_by_one import each
from tillbook.vendors.protocols import Account, CheckoutState, OpenDispute

if TYPE_CHECKING:
    from tillbook.kit.clock import Clock
    from tillbook.kit.settings import Settings
    from tillbook.operations.kinds.refunds.refund_payment import RefundMade, RefundRequest
    from tillbook.operations.kinds.sales.close_checkout import CheckoutClosed
    from tillbook.operations.kinds.sales.create_checkout import CheckoutOpened, CheckoutRequest
    from tillbook.rules.matching import Movement
    from tillbook.rules.operations import Plan

_remembered = partial(Evidence, window_seconds=86_400, read_lag_seconds=60)
_CREATED = _remembered(carried_in="`reference` of the page", found_by="the list of all pages")
_CLOSED = _remembered(carried_in="nothing: the subject is the page's id", found_by="reading the page: it is closed")
_REFUNDED = _remembered(carried_in="`reference` of the refund", found_by="the list of the payment's refunds")


class Acorn:
    """The Acorn account of the settings. Nothing is asked before the first call."""

    name = "acorn"

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._calls = AcornCalls(settings, clock)
        self._handlers = Handlers(
            "Acorn",
            [
                CreateCheckout.handler(self._create, self._find_created, _CREATED, self._pages_marks),
                CloseCheckout.handler(self._close, self._find_closed, _CLOSED),
                RefundPayment.handler(self._refund, self._find_refund, _REFUNDED, self._refund_marks),
            ],
        )

    # -- plans and operations ----------------------------------------------------------------------

    def plan_checkout(self, request: CheckoutRequest) -> Plan[CheckoutOpened]:
        """Acorn takes every currency that ISO knows, in its minor units."""
        return CreateCheckout.of(request).plan(self.name)

    def plan_close(self, checkout_id: str) -> Plan[CheckoutClosed]:
        """The operation that closes an open page for good."""
        return CloseCheckout(checkout_id).plan(self.name)

    def plan_refund(self, request: RefundRequest) -> Plan[RefundMade]:
        """The operation that gives money back."""
        return RefundPayment.of(request).plan(self.name, request.reference)

    def settle(self, state: CheckoutState) -> None:
        """Nothing is missing: Acorn moves the money when the customer pays."""

    def send(self, operation: Stored) -> Json:
        """Carry an operation out, always under its own id."""
        return self._handlers.send(operation)

    def find(self, operation: Stored) -> Json | None:
        """The result read back from Acorn's lists and objects."""
        return self._handlers.find(operation)

    def latest(self, operation: Stored) -> int | None:
        """The newest generation from this one on whose reference Acorn shows."""
        return self._handlers.latest(operation)

    def evidence(self, kind: str) -> Evidence:
        """Acorn remembers a key for a day."""
        return self._handlers.evidence(kind)

    def _create(self, operation: Operation[CreateCheckout]) -> CheckoutOpened:
        asked = operation.params
        body = {
            "amount": asked.money.minor,
            "currency": asked.currency,
            "words": asked.description,
            "reference": operation.id,
            "invoice": asked.invoice,
            "back": asked.success_url,
            "away": asked.cancel_url,
        }
        return self._calls.change("/v1/pages", body, operation.id, objects.opened)

    def _pages_marks(self, operation: Operation[CreateCheckout]) -> Iterator[str]:
        return (str(page.get("reference")) for page in self._calls.pages("/v1/pages"))

    def _find_created(self, operation: Operation[CreateCheckout]) -> CheckoutOpened | None:
        pages = self._calls.pages("/v1/pages")
        return next((objects.opened(page) for page in pages if page.get("reference") == operation.id), None)

    def _close(self, operation: Operation[CloseCheckout]) -> CheckoutClosed:
        path = f"/v1/pages/{_required(operation.params.checkout_id)}/close"
        return self._calls.change(path, {}, operation.id, objects.closed)

    def _find_closed(self, operation: Operation[CloseCheckout]) -> CheckoutClosed | None:
        page = self._page(operation.params.checkout_id)
        return objects.closed(page) if page.get("state") == "closed" else None

    def _refund(self, operation: Operation[RefundPayment]) -> RefundMade:
        asked = operation.params
        body = {"amount": asked.money.minor, "currency": asked.currency, "reference": operation.id}
        path = f"/v1/payments/{_required(asked.payment)}/refunds"
        return self._calls.change(path, body, operation.id, objects.made_refund)

    def _refund_marks(self, operation: Operation[RefundPayment]) -> Iterator[str]:
        return (str(one.get("reference")) for one in self._refunds(operation.params.payment))

    def _find_refund(self, operation: Operation[RefundPayment]) -> RefundMade | None:
        refunds = self._refunds(operation.params.payment)
        return next((objects.made_refund(one) for one in refunds if one.get("reference") == operation.id), None)

    # -- reads -------------------------------------------------------------------------------------

    @property
    def key_fingerprint(self) -> str:
        """A hash of the key, which the ledger keeps in its place."""
        return hashlib.sha256(f"{self.name} {self._settings[API_KEY]}".encode()).hexdigest()

    def needed_reads(self) -> Mapping[str, Callable[[], object]]:
        """Each list, of which the first page is read."""
        paths = ("/v1/events", "/v1/pages", "/v1/statement")
        return {path.rsplit("/", 1)[-1]: partial(self._first, path) for path in paths}

    def _first(self, path: str) -> object:
        return next(self._calls.pages(path, since=0, until=0), None)

    def account(self) -> Account:
        """The account behind the key, which says itself whether it is live."""
        account = self._calls.read("/v1/account")
        return Account(objects.text(account, "id"), account.get("live") is not False)

    def open_disputes(self) -> Iterator[OpenDispute]:
        """Every dispute and inquiry that waits for our answer."""
        for one in self._calls.pages("/v1/disputes"):
            if one["state"] == "open":
                amount, due = Money(one["amount"], one["currency"]), one["answer_by"] // 1000
                yield OpenDispute(one["id"], one["state"], amount, one["at"] // 1000, due)

    def dispute(self, payment: str) -> str:
        """The status of the dispute that forbids a refund; empty when there is none, or only a question."""
        status = self._payment(payment).get("dispute")
        return "" if status in (None, "inquiry") else str(status)

    def checkout(self, checkout_id: str) -> CheckoutState:
        """Read a page by id. Raises Refused (code `resource_missing`) when there is none."""
        return objects.checkout_state(self._page(checkout_id))

    def read(self, object_id: str) -> Reading:
        """Every fact that a payment, or the payment of a page, proves now."""
        if not object_id.startswith("page_"):
            return self._reading(object_id, object_id)
        page = self._page(object_id)
        if payment := page.get("payment"):
            return self._reading(object_id, str(payment))
        return Reading(object_id, (), objects.text(page, "reference"), objects.text(page, "invoice"))

    def events(self, since: int, pages: Iterable[str] = ()) -> Iterator[Event | UnreadableRecord]:
        """The events that mean something, created at or after `since`, newest first. The list tells of every page."""
        raws = (raw for raw in self._calls.pages("/v1/events", since=since * 1000) if raw["type"] in objects.RELEVANT)
        return each(raws, lambda raw: (objects.event_of(raw, json.dumps(raw).encode()),), objects.named)

    def statement(self, since: int, until: int) -> Iterator[Movement | UnreadableRecord]:
        """The rows from `since` to before `until`."""
        rows = self._calls.pages("/v1/statement", since=since * 1000, until=until * 1000)
        return each(rows, lambda row: (objects.movement(row),), objects.named)

    def balance(self) -> dict[str, Money | UnreadableRecord]:
        """Acorn tells none, and declares so."""
        raise Refused("Acorn tells no balance")

    def _page(self, page: str) -> Json:
        return self._calls.read(f"/v1/pages/{_required(page)}")

    def _payment(self, payment: str) -> Json:
        return self._calls.read(f"/v1/payments/{_required(payment)}")

    def _refunds(self, payment: str) -> Iterator[Json]:
        return self._calls.pages(f"/v1/payments/{_required(payment)}/refunds")

    def _reading(self, object_id: str, key: str) -> Reading:
        payment, refunds = self._payment(key), list(self._refunds(key))
        told: list[Fact | UnreadableRecord] = [*each([payment], objects.payment_facts, objects.named)]
        told += each(refunds, lambda refund: objects.refund_facts([refund]), objects.named)
        marks = (str(payment.get("reference") or ""), str(payment.get("invoice") or ""))
        return Reading.of(object_id, told, *marks, objects.released(refunds))

    # -- webhooks ----------------------------------------------------------------------------------

    def webhook_ready(self) -> None:
        """Raise Refused when there is no secret to verify with."""
        if not self._settings.listed(WEBHOOK_SECRET):
            raise Refused("ACORN_WEBHOOK_SECRET is empty, so no event could be verified", hint="Set it.")

    def asks_first(self, headers: Mapping[str, str]) -> bool:
        """Never: the secret is here."""
        return False

    def verify(self, headers: Mapping[str, str], body: bytes) -> Event:
        """Check the signature over the raw bytes, then read the envelope."""
        self.webhook_ready()
        given = headers.get("acorn-signature", "")
        # Every secret is compared, so that the time it takes tells nothing about which one came close.
        matches = [
            hmac.compare_digest(f"sha256={hmac.digest(secret.encode(), body, 'sha256').hex()}".encode(), given.encode())
            for secret in self._settings.listed(WEBHOOK_SECRET)
        ]
        if not any(matches):
            raise Forged("the signature does not match any of our webhook secrets")
        raw = strict_json.loads(body)
        if not isinstance(raw, dict):
            raise Refused("not an event: the body is not a JSON object")
        return objects.event_of(raw, body)


def _required(object_id: str) -> str:
    """An id as it may stand in a path. Raises Refused before anything is asked."""
    if not objects.is_id(object_id):
        raise Refused(f"{object_id[:40]!r} is no page or payment of Acorn's")
    return object_id
