"""The operations of the API that the simulator knows: one row each, with its parameters and what it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from simulator.stripe import checkout, links, parameters, payments, shapes
from simulator.stripe.account import Account
from simulator.stripe.errors import StripeError, invalid
from simulator.stripe.forms import Form, merged
from simulator.stripe.listing import inside, page, same

Json = dict[str, Any]

EVENTS_KEPT_SECONDS = 30 * 86_400


@dataclass(frozen=True)
class Call:
    """One request: `key` is the id in its path, `cause` what its events name as their request."""

    account: Account
    path: str
    key: str
    params: Json
    at: int
    cause: Json


@dataclass(frozen=True)
class Operation:
    """A method and a path (`{}` stands for an id), its form, the object that it answers with, and its deed."""

    method: str
    path: str
    form: Form
    gives: str
    act: Callable[[Call], Json]


def _retrieve(what: str) -> Callable[[Call], Json]:
    param = {"checkout.session": "session", "payment_intent": "intent", "payment_link": "payment_link"}.get(what, "id")
    return lambda call: call.account.need(what, call.key, param)


def _list(what: str, *filters: str) -> Callable[[Call], Json]:
    """List objects of a kind, filtered by `created` and by equality in `filters`."""

    def act(call: Call) -> Json:
        wanted = call.params.get("created")
        found = (
            thing
            for thing in call.account.newest(what)
            if inside(thing.get("created", 0), wanted) and same(thing, call.params, *filters)
        )
        return page(found, call.params, call.path, what)

    return act


def _create_customer(call: Call) -> Json:
    given = {**call.params, "metadata": merged({}, call.params.get("metadata", {}))}
    return payments.create_customer(call.account, given, call.at, call.cause)


def _update_customer(call: Call) -> Json:
    customer = _living_customer(call)
    new = {name: value for name, value in call.params.items() if name != "expand"}
    if "metadata" in new:
        new["metadata"] = merged(customer["metadata"], new["metadata"])
    previous = {name: customer[name] for name, value in new.items() if customer[name] != value}
    customer.update(new)
    call.account.save(customer)
    if previous:
        call.account.emit("customer.updated", customer, call.at, cause=call.cause, previous=previous)
    return customer


def _delete_customer(call: Call) -> Json:
    customer = _living_customer(call)
    call.account.emit("customer.deleted", customer, call.at, cause=call.cause)
    return call.account.save({"id": customer["id"], "object": "customer", "deleted": True})


def _living_customer(call: Call) -> Json:
    customer = call.account.need("customer", call.key, "id")
    if customer.get("deleted"):
        raise invalid(f"No such customer: '{call.key}'", "id", "resource_missing")
    return customer


def _list_customers(call: Call) -> Json:
    living = (customer for customer in call.account.newest("customer") if not customer.get("deleted"))
    found = (
        customer
        for customer in living
        if inside(customer["created"], call.params.get("created")) and same(customer, call.params, "email")
    )
    return page(found, call.params, call.path, "customer")


def _create_session(call: Call) -> Json:
    return checkout.create(call.account, _with_whole_metadata(call.params), call.at)


def _with_whole_metadata(params: Json) -> Json:
    """The parameters, where every metadata is a plain map, also that of the intent to come."""
    given = {**params, "metadata": merged({}, params.get("metadata", {}))}
    if data := given.get("payment_intent_data"):
        given["payment_intent_data"] = {**data, "metadata": merged({}, data.get("metadata", {}))}
    return given


def _update_session(call: Call) -> Json:
    session = call.account.need("checkout.session", call.key, "session")
    session["metadata"] = merged(session["metadata"], call.params.get("metadata", {}))
    return call.account.save(session)


def _expire_session(call: Call) -> Json:
    session = call.account.need("checkout.session", call.key, "session")
    if session["status"] != "open":
        raise StripeError(
            400,
            'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Checkout Session has a status of {session['status']}.",
        )
    return payments.expire(call.account, session, call.at, call.cause)


def _list_lines(what: str, param: str) -> Callable[[Call], Json]:
    def act(call: Call) -> Json:
        holder = call.account.need(what, call.key, param)
        return page(checkout.lines(call.account, holder), call.params, call.path, "line item")

    return act


def _create_link(call: Call) -> Json:
    return links.create(call.account, _with_whole_metadata(call.params), call.at, call.cause)


def _update_link(call: Call) -> Json:
    link = call.account.need(_LINK, call.key, "payment_link")
    new = {name: value for name, value in call.params.items() if name != "expand"}
    if "metadata" in new:
        new["metadata"] = merged(link["metadata"], new["metadata"])
    return links.update(call.account, link, new, call.at, call.cause)


def _list_links(call: Call) -> Json:
    found = (link for link in call.account.newest(_LINK) if same(link, call.params, "active"))
    return page(found, call.params, call.path, "payment link")


def _list_balance_transactions(call: Call) -> Json:
    if "payout" in call.params:
        raise invalid(f"No such payout: '{call.params['payout']}'", "payout", "resource_missing")
    return _list("balance_transaction", "type", "source", "currency")(call)


def _balance(call: Call) -> Json:
    sums: dict[str, dict[str, int]] = {"available": {"usd": 0}, "pending": {"usd": 0}}
    for booked in call.account.newest("balance_transaction"):
        part = sums[booked["status"]]
        part[booked["currency"]] = part.get(booked["currency"], 0) + booked["net"]
    parts = {
        name: [
            {"amount": amount, "currency": currency, "source_types": {"card": amount}}
            for currency, amount in sorted(part.items())
        ]
        for name, part in sums.items()
    }
    return {"object": "balance", **parts, "livemode": False}


def _retrieve_event(call: Call) -> Json:
    event = call.account.need("event", call.key, "id")
    if event["created"] < call.at - EVENTS_KEPT_SECONDS:
        raise invalid(f"No such event: '{call.key}'", "id", "resource_missing")
    return event


def _list_events(call: Call) -> Json:
    if "type" in call.params and "types" in call.params:
        raise invalid("You may only specify one of these parameters: type, types.", "type")
    return page(_events(call), call.params, call.path, "event")


def _events(call: Call) -> Iterator[Json]:
    patterns = call.params.get("types", [call.params.get("type", "*")])
    delivered = call.params.get("delivery_success")
    for event in call.account.newest("event"):
        if event["created"] < call.at - EVENTS_KEPT_SECONDS:
            return
        if not inside(event["created"], call.params.get("created")):
            continue
        if delivered is not None and call.account.deliveries.succeeded(event["id"]) is not delivered:
            continue
        if any(fnmatchcase(event["type"], pattern) for pattern in patterns):
            yield event


def _account(call: Call) -> Json:
    return shapes.account(str(call.account.world.accounts["stripe_account"]))


_SESSION, _LINK = "checkout.session", links.LINK
OPERATIONS = (
    Operation("GET", "/v1/account", parameters.READ, "account", _account),
    Operation("GET", "/v1/balance", parameters.READ, "balance", _balance),
    Operation("POST", "/v1/customers", parameters.CUSTOMER, "customer", _create_customer),
    Operation("GET", "/v1/customers", parameters.CUSTOMERS, "customer", _list_customers),
    Operation("GET", "/v1/customers/{}", parameters.READ, "customer", _retrieve("customer")),
    Operation("POST", "/v1/customers/{}", parameters.CUSTOMER, "customer", _update_customer),
    Operation("DELETE", "/v1/customers/{}", Form(), "customer", _delete_customer),
    Operation("POST", "/v1/checkout/sessions", parameters.SESSION, _SESSION, _create_session),
    Operation(
        "GET",
        "/v1/checkout/sessions",
        parameters.SESSIONS,
        _SESSION,
        _list(_SESSION, "status", "payment_intent", "payment_link", "customer"),
    ),
    Operation("GET", "/v1/checkout/sessions/{}", parameters.READ, _SESSION, _retrieve(_SESSION)),
    Operation("POST", "/v1/checkout/sessions/{}", parameters.SESSION_UPDATE, _SESSION, _update_session),
    Operation("POST", "/v1/checkout/sessions/{}/expire", parameters.READ, _SESSION, _expire_session),
    Operation("GET", "/v1/checkout/sessions/{}/line_items", parameters.LINES, "item", _list_lines(_SESSION, "session")),
    Operation("POST", "/v1/payment_links", parameters.LINK, _LINK, _create_link),
    Operation("GET", "/v1/payment_links", parameters.LINKS, _LINK, _list_links),
    Operation("GET", "/v1/payment_links/{}", parameters.READ, _LINK, _retrieve(_LINK)),
    Operation("POST", "/v1/payment_links/{}", parameters.LINK_UPDATE, _LINK, _update_link),
    Operation("GET", "/v1/payment_links/{}/line_items", parameters.LINES, "item", _list_lines(_LINK, "payment_link")),
    Operation(
        "GET",
        "/v1/payment_intents",
        parameters.INTENTS,
        "payment_intent",
        _list("payment_intent", "customer"),
    ),
    Operation("GET", "/v1/payment_intents/{}", parameters.INTENT, "payment_intent", _retrieve("payment_intent")),
    Operation("GET", "/v1/charges", parameters.CHARGES, "charge", _list("charge", "payment_intent", "customer")),
    Operation("GET", "/v1/charges/{}", parameters.READ, "charge", _retrieve("charge")),
    Operation(
        "GET",
        "/v1/balance_transactions",
        parameters.BALANCE_TRANSACTIONS,
        "balance_transaction",
        _list_balance_transactions,
    ),
    Operation(
        "GET",
        "/v1/balance_transactions/{}",
        parameters.READ,
        "balance_transaction",
        _retrieve("balance_transaction"),
    ),
    Operation("GET", "/v1/events", parameters.EVENTS, "event", _list_events),
    Operation("GET", "/v1/events/{}", parameters.READ, "event", _retrieve_event),
)
