"""The operations of the API about customers, Checkout Sessions and Payment Links."""

from __future__ import annotations

from collections.abc import Callable

from simulator.stripe.checkout import customers, links, parameters, sessions
from simulator.stripe.checkout.customers import CUSTOMER
from simulator.stripe.checkout.links import LINK
from simulator.stripe.checkout.sessions import SESSION
from simulator.stripe.operation import READ, Call, Operation, listed, retrieve
from simulator.stripe.wire.errors import StripeError
from simulator.stripe.wire.forms import Form, merged, with_metadata
from simulator.stripe.wire.listing import inside, page, same
from simulator.world import Json


def _create_customer(call: Call) -> Json:
    return customers.create(call.account, with_metadata(call.params), call.at, call.cause)


def _update_customer(call: Call) -> Json:
    customer = customers.need(call.account, call.key)
    return customers.update(call.account, customer, _changes(call), call.at, call.cause)


def _delete_customer(call: Call) -> Json:
    return customers.delete(call.account, customers.need(call.account, call.key), call.at, call.cause)


def _list_customers(call: Call) -> Json:
    living = (customer for customer in call.account.newest(CUSTOMER) if not customer.get("deleted"))
    found = (
        customer
        for customer in living
        if inside(customer["created"], call.params.get("created")) and same(customer, call.params, "email")
    )
    return page(found, call.params, call.path, CUSTOMER)


def _create_session(call: Call) -> Json:
    return sessions.create(call.account, _with_all_metadata(call.params), call.at)


def _update_session(call: Call) -> Json:
    session = call.account.need(SESSION, call.key, "session")
    session["metadata"] = merged(session["metadata"], call.params.get("metadata", {}))
    return call.account.save(session)


def _expire_session(call: Call) -> Json:
    session = call.account.need(SESSION, call.key, "session")
    if session["status"] != "open":
        raise StripeError(
            400,
            'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Checkout Session has a status of {session['status']}.",
        )
    return sessions.expire(call.account, session, call.at, call.cause)


def _create_link(call: Call) -> Json:
    return links.create(call.account, _with_all_metadata(call.params), call.at, call.cause)


def _update_link(call: Call) -> Json:
    link = call.account.need(LINK, call.key, "payment_link")
    new = _changes(call)
    if "metadata" in new:
        new["metadata"] = merged(link["metadata"], new["metadata"])
    return links.update(call.account, link, new, call.at, call.cause)


def _list_links(call: Call) -> Json:
    found = (link for link in call.account.newest(LINK) if same(link, call.params, "active"))
    return page(found, call.params, call.path, "payment link")


def _list_lines(what: str, param: str) -> Callable[[Call], Json]:
    def act(call: Call) -> Json:
        holder = call.account.need(what, call.key, param)
        return page(sessions.lines(call.account, holder), call.params, call.path, "line item")

    return act


def _changes(call: Call) -> Json:
    """The fields that an update sends."""
    return {name: value for name, value in call.params.items() if name != "expand"}


def _with_all_metadata(params: Json) -> Json:
    """The parameters, where every metadata is a plain map, also that of the intent to come."""
    given = with_metadata(params)
    if data := given.get("payment_intent_data"):
        given["payment_intent_data"] = with_metadata(data)
    return given


_SESSION_FILTERS = ("status", "payment_intent", "payment_link", "customer")
OPERATIONS = (
    Operation("POST", "/v1/customers", parameters.CUSTOMER, CUSTOMER, _create_customer),
    Operation("GET", "/v1/customers", parameters.CUSTOMERS, CUSTOMER, _list_customers),
    Operation("GET", "/v1/customers/{}", READ, CUSTOMER, retrieve(CUSTOMER)),
    Operation("POST", "/v1/customers/{}", parameters.CUSTOMER, CUSTOMER, _update_customer),
    Operation("DELETE", "/v1/customers/{}", Form(), CUSTOMER, _delete_customer),
    Operation("POST", "/v1/checkout/sessions", parameters.SESSION, SESSION, _create_session),
    Operation("GET", "/v1/checkout/sessions", parameters.SESSIONS, SESSION, listed(SESSION, *_SESSION_FILTERS)),
    Operation("GET", "/v1/checkout/sessions/{}", READ, SESSION, retrieve(SESSION, "session")),
    Operation("POST", "/v1/checkout/sessions/{}", parameters.SESSION_UPDATE, SESSION, _update_session),
    Operation("POST", "/v1/checkout/sessions/{}/expire", READ, SESSION, _expire_session),
    Operation("GET", "/v1/checkout/sessions/{}/line_items", parameters.LINES, "item", _list_lines(SESSION, "session")),
    Operation("POST", "/v1/payment_links", parameters.LINK, LINK, _create_link),
    Operation("GET", "/v1/payment_links", parameters.LINKS, LINK, _list_links),
    Operation("GET", "/v1/payment_links/{}", READ, LINK, retrieve(LINK, "payment_link")),
    Operation("POST", "/v1/payment_links/{}", parameters.LINK_UPDATE, LINK, _update_link),
    Operation("GET", "/v1/payment_links/{}/line_items", parameters.LINES, "item", _list_lines(LINK, "payment_link")),
)
