"""What `/_control` may do to the simulated PayPal: the payer, the bank and the seller's other programs.

Amounts are minor units. Words of Stripe are understood where PayPal has another for the same thing, so that one test
can speak to both. Raises ValueError for what makes no sense and Conflict for what is not possible now.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from simulator.control_input import Conflict, body, choice, guarded
from simulator.paypal import amounts, captures, choices, disputes, orders, refunds, reporting
from simulator.paypal.account import Account
from simulator.paypal.errors import PayPalError
from simulator.paypal.payers import payer

Json = dict[str, Any]

DECLINED_CARD = "4000000000000002"
_SAME = {"SUCCEEDED": "COMPLETED", "CANCELED": "CANCELLED"}
_LONGEST_LAG_SECONDS = 31 * 86_400


def routes(account: Account) -> list[BaseRoute]:
    """The routes below `/_control` that only PayPal has."""
    desk = _Desk(account)
    rows: list[tuple[str, Callable[[Request], Any]]] = [
        ("/capture", desk.capture),
        ("/captures", desk.start_captures),
        ("/capture_outcome", desk.end_capture),
        ("/invoices", desk.steer_invoices),
        ("/reporting", desk.steer_reporting),
    ]
    return [Route(path, guarded(handler), methods=["POST"]) for path, handler in rows]


class _Desk:
    def __init__(self, account: Account) -> None:
        self._account = account

    async def capture(self, request: Request) -> Json:
        """Another program of the seller captures an order: without an id of the request, seen by nobody here."""
        given = await body(request, {"checkout_id": str})
        account, now = self._account, self._account.world.now()
        order = _order(account, given.get("checkout_id", ""), now)
        try:
            made = orders.take(account, order, now)
        except PayPalError as error:
            raise Conflict(f"{error.issue}: {error}") from error
        return captures.shown(made)

    async def start_captures(self, request: Request) -> Json:
        given = await body(request, {"status": str, "reason": str})
        status = choice(given, "status", captures.STARTS)
        reason = choice(given, "reason", captures.REASONS, "")
        choices.choose(self._account, capture_status=status, capture_reason=reason)
        return {"status": status, "reason": reason}

    async def end_capture(self, request: Request) -> Json:
        given = await body(request, {"capture": str, "outcome": str})
        found = self._account.find(captures.CAPTURE, given.get("capture"))
        if found is None:
            raise ValueError(f"there is no capture {given.get('capture', '')!r}")
        outcome = _word(given, "outcome", captures.OUTCOMES)
        if not captures.can_end(found):
            raise Conflict(f"the capture {found['id']} is {found['status']}, so it cannot become {outcome}")
        return captures.shown(captures.end(self._account, found, outcome, self._account.world.now()))

    async def steer_invoices(self, request: Request) -> Json:
        given = await body(request, {"unique": bool})
        if "unique" not in given:
            raise ValueError("unique says whether an invoice_id can be paid once only")
        return {"unique": choices.choose(self._account, unique_invoices=given["unique"])["unique_invoices"]}

    async def steer_reporting(self, request: Request) -> Json:
        given = await body(request, {"lag_seconds": int})
        lag = given.get("lag_seconds")
        if lag is None or not 0 <= lag <= _LONGEST_LAG_SECONDS:
            raise ValueError(f"lag_seconds is a whole number from 0 to {_LONGEST_LAG_SECONDS}, not {lag!r}")
        reporting.set_lag(self._account.world, lag)
        return {"lag_seconds": lag}


def knows(account: Account, key: str) -> bool:
    """Whether an order, a capture or a refund of PayPal has this id."""
    return any(account.find(kind, key) for kind in (orders.ORDER, captures.CAPTURE, refunds.REFUND))


def pay(account: Account, given: Json, *, declined: bool) -> Json:
    """The payer approves the order `checkout_id`; `declined`: the next capture of it is refused by the bank."""
    now = account.world.now()
    order = _order(account, given["checkout_id"], now)
    if order["status"] == "COMPLETED":
        raise Conflict(f"the checkout {order['id']} is COMPLETED, so it cannot be paid")
    who = payer(given.get("email") or "customer@example.com", given.get("name", "Test Customer"))
    orders.approve(account, order, who, now, declined=declined)
    return {"status": "approved", "order": order["id"], "payer_id": order["payer"]["payer_id"]}


def refund(account: Account, given: Json) -> Json:
    """A refund as a person makes it in the dashboard: of `payment`, an order or a capture; `amount` or all of it."""
    capture = _capture(account, given["payment"])
    start = _word(given, "status", refunds.STARTS) if "status" in given else ""
    wanted: Json = {}
    if "amount" in given:
        wanted["amount"] = amounts.money(given["amount"], capture["amount"]["currency_code"])
    try:
        return refunds.shown(refunds.give_back(account, capture, wanted, account.world.now(), start=start))
    except PayPalError as error:
        raise Conflict(f"{error.issue}: {error}") from error


def end_refund(account: Account, given: Json) -> Json:
    """Let `refund` end as `outcome`."""
    found = account.need(refunds.REFUND, given["refund"])
    outcome = _word(given, "outcome", refunds.OUTCOMES)
    if not refunds.can_end(found, outcome):
        raise Conflict(f"the refund {found['id']} is {found['status']}, so it cannot become {outcome}")
    return refunds.shown(refunds.end(account, found, outcome, account.world.now()))


def start_refunds(account: Account, given: Json) -> Json:
    """Let new refunds begin as `status` until the next reset."""
    status = _word(given, "status", refunds.STARTS)
    choices.choose(account, refund_status=status)
    return {"status": status}


def dispute(account: Account, given: Json) -> Json:
    """The payer questions `payment` (an order or a capture), as `kind` says."""
    kind = choice(given, "kind", disputes.KINDS)
    reason = choice(given, "reason", disputes.REASONS, "UNAUTHORISED")
    capture = _capture(account, given["payment"])
    if disputes.of_capture(account, capture["id"]) is not None:
        raise Conflict(f"the capture {capture['id']} is disputed already")
    left = amounts.minor(capture["amount"]) - refunds.refunded(account, capture)
    if capture["status"] not in captures.MONEY or left <= 0:
        raise Conflict(f"the capture {capture['id']} holds no money to dispute")
    return disputes.shown(disputes.begin(account, capture, kind, reason, left, account.world.now()))


def sums(account: Account) -> dict[str, dict[str, int]]:
    """`captured`, `refunded` and `statement` by currency: money that really moved."""
    money: dict[str, dict[str, int]] = {"captured": {}, "refunded": {}, "statement": {}}
    for one in account.all(captures.CAPTURE):
        if one["status"] in captures.MONEY:
            _add(money["captured"], one["amount"]["currency_code"], amounts.minor(one["amount"]))
    for one in account.all(refunds.REFUND):
        if one["status"] == "COMPLETED":
            _add(money["refunded"], one["amount"]["currency_code"], amounts.minor(one["amount"]))
    for row in account.all("transaction"):
        if reporting.STATUSES.get(row["status"]):
            _add(money["statement"], row["currency"], row["amount_minor"] + row["fee_minor"])
    return money


def _add(sums_so_far: dict[str, int], currency: str, amount: int) -> None:
    sums_so_far[currency] = sums_so_far.get(currency, 0) + amount


def _order(account: Account, key: str, now: int) -> Json:
    order = account.find(orders.ORDER, key)
    if order is None:
        raise ValueError(f"there is no checkout {key!r}")
    if orders.is_gone(account, order, now):
        raise Conflict(f"the checkout {key} has expired, so it cannot be paid")
    return order


def _capture(account: Account, key: str) -> Json:
    """The capture that an id names: its own, or its order's."""
    found = account.find(captures.CAPTURE, key)
    if found is None and account.find(orders.ORDER, key):
        found = next((one for one in account.all(captures.CAPTURE) if captures.order_of(one) == key), None)
    if found is None:
        raise ValueError(f"there is no payment {key!r}")
    return found


def _word(given: Json, name: str, words: tuple[str, ...]) -> str:
    """One of PayPal's words, in capitals or not, or Stripe's for the same."""
    value = given.get(name)
    if isinstance(value, str):
        value = _SAME.get(value.upper(), value.upper())
    return choice({name: value}, name, words)
