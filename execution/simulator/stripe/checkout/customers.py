"""Customers: whom a session is made for, or who paid one."""

from __future__ import annotations

from simulator.stripe.account import Account
from simulator.stripe.checkout import shapes
from simulator.stripe.wire.errors import invalid
from simulator.stripe.wire.forms import merged
from simulator.world import Json

CUSTOMER = "customer"


def create(account: Account, given: Json, at: int, cause: Json) -> Json:
    """A new customer and its event. `given` holds name, email and the like."""
    created = account.save(shapes.customer(account.world.identifier("cus"), at, given))
    account.emit("customer.created", created, at, cause=cause)
    return created


def update(account: Account, customer: Json, new: Json, at: int, cause: Json) -> Json:
    """The customer with these fields changed. An event tells of it only when one of them was different."""
    if "metadata" in new:
        new = {**new, "metadata": merged(customer["metadata"], new["metadata"])}
    previous = {name: customer[name] for name, value in new.items() if customer[name] != value}
    customer.update(new)
    account.save(customer)
    if previous:
        account.emit("customer.updated", customer, at, cause=cause, previous=previous)
    return customer


def delete(account: Account, customer: Json, at: int, cause: Json) -> Json:
    """What is left of a customer: its id."""
    account.emit("customer.deleted", customer, at, cause=cause)
    return account.save({"id": customer["id"], "object": CUSTOMER, "deleted": True})


def need(account: Account, key: str) -> Json:
    """The customer of this id. Raises StripeError for one that is unknown (404) or deleted (400)."""
    customer = account.need(CUSTOMER, key, "id")
    if customer.get("deleted"):
        raise invalid(f"No such customer: '{key}'", "id", "resource_missing")
    return customer
