"""Checkout Sessions: how one is made from its parameters, and what its lines are."""

from __future__ import annotations

from simulator.rough import habits
from simulator.stripe.account import NOBODY, Account
from simulator.stripe.balance.settlement import settled
from simulator.stripe.checkout import shapes
from simulator.stripe.wire.currencies import check_amount, check_currency, check_minimum
from simulator.stripe.wire.errors import StripeError, invalid
from simulator.world import Json

SHORTEST_LIFE_SECONDS = 30 * 60
LONGEST_LIFE_SECONDS = 24 * 3600
SESSION = "checkout.session"
LINES = "stripe.line_items"


def create(account: Account, given: Json, at: int) -> Json:
    """A new open session. Raises StripeError when the parameters do not fit together."""
    _check(given, at)
    currency = check_lines(account, given["line_items"], at)
    if given.get("customer"):
        known = account.find("customer", given["customer"])
        if known is None or known.get("deleted"):
            raise StripeError(
                400, f"No such customer: '{given['customer']}'", code="resource_missing", param="customer"
            )
    key = account.world.identifier("cs_test")
    total = keep_lines(account, key, given["line_items"], at)
    session = shapes.session(key, at, given, total, currency)
    session["url"] = f"{account.world.url}/checkout/{key}"
    account.world.save("stripe.payment_intent_data", session["id"], given.get("payment_intent_data", {}))
    account.agenda.add(session["expires_at"], "expire", session["id"])
    return account.save(session)


def check_lines(account: Account, given_lines: list[Json], at: int) -> str:
    """The one currency of lines that Stripe can charge. Raises StripeError."""
    if not given_lines:
        raise invalid("You must pass at least one line item.", "line_items")
    currency = _currency(given_lines)
    total = sum(line["price_data"]["unit_amount"] * line["quantity"] for line in given_lines)
    check_amount(total, currency)
    if habits.has(account.world, "minimums"):
        charged = settled(account, total, currency, at)
        check_minimum(total, currency, charged.amount, charged.currency)
    return currency


def keep_lines(account: Account, key: str, given_lines: list[Json], at: int) -> int:
    """Keep the (checked) lines of the session or link `key`. Returns their sum in minor units."""
    prefixes = ("li", "price", "prod")
    new_id = account.world.identifier
    made = [shapes.line_item(tuple(map(new_id, prefixes)), at, line) for line in given_lines]
    account.world.save(LINES, key, {"lines": made})
    return sum(line["amount_total"] for line in made)


def lines(account: Account, holder: Json) -> list[Json]:
    """The lines of a session or a link, in the order they were given."""
    kept = account.world.get(LINES, holder["id"])
    return list(kept["lines"]) if kept else []


def expire(account: Account, session: Json, at: int, cause: Json = NOBODY) -> Json:
    """Close an open session for ever. An intent that it had begun is cancelled."""
    session.update(status="expired", url=None)
    account.save(session)
    intent = account.find("payment_intent", session["payment_intent"])
    if intent is not None:
        intent.update(status="canceled", canceled_at=at, cancellation_reason="expired", next_action=None)
        account.save(intent)
        account.emit("payment_intent.canceled", intent, at, cause=cause)
    account.emit("checkout.session.expired", session, at, cause=cause)
    return session


def expire_if_open(account: Account, key: str, at: int) -> None:
    """Close a session whose time is over. A paid one stays as it is."""
    session = account.find(SESSION, key)
    if session is not None and session["status"] == "open":
        expire(account, session, at)


def success_address(session: Json) -> str:
    """Where the customer goes after paying, with the session's id filled in."""
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _check(given: Json, at: int) -> None:
    if given.get("customer") and given.get("customer_email"):
        message = "You may only specify one of these parameters: customer, customer_email."
        raise invalid(message, "customer")
    life = given.get("expires_at", at + LONGEST_LIFE_SECONDS) - at
    if life < SHORTEST_LIFE_SECONDS:
        message = "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."
        raise invalid(message, "expires_at")
    if life > LONGEST_LIFE_SECONDS:
        message = "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation."
        raise invalid(message, "expires_at")


def _currency(given_lines: list[Json]) -> str:
    for number, line in enumerate(given_lines):
        data = line["price_data"]
        data["currency"] = check_currency(data["currency"], f"line_items[{number}][price_data][currency]")
    currencies = {line["price_data"]["currency"] for line in given_lines}
    if len(currencies) > 1:
        message = "All line items must have the same currency."
        raise invalid(message, "line_items")
    return str(currencies.pop())
