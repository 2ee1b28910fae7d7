"""Payment Links: a lasting address that makes a Checkout Session of its own for each customer who opens it."""

from __future__ import annotations

from simulator.stripe.account import NOBODY, Account
from simulator.stripe.checkout import sessions, shapes
from simulator.stripe.wire.errors import invalid
from simulator.world import Json

LINK = "payment_link"
_SESSION_FIELDS = ("billing_address_collection", "customer_creation", "submit_type")


def create(account: Account, given: Json, at: int, cause: Json) -> Json:
    """A new active link. Raises StripeError when the parameters do not fit together."""
    _check(given.get("after_completion"))
    currency = sessions.check_lines(account, given["line_items"], at)
    link = shapes.payment_link(account.world.identifier("plink"), given, currency)
    link["url"] = f"{account.world.url}/link/{link['id']}"
    sessions.keep_lines(account, link["id"], given["line_items"], at)
    account.world.save("stripe.payment_link_asked", link["id"], given)
    account.emit("payment_link.created", account.save(link), at, cause=cause)
    return link


def update(account: Account, link: Json, new: Json, at: int, cause: Json) -> Json:
    """The link with these fields changed. An event tells of it only when one of them was different."""
    _check(new.get("after_completion"))
    previous = {name: link[name] for name, value in new.items() if link[name] != value}
    link.update(new)
    account.save(link)
    if previous:
        account.emit("payment_link.updated", link, at, cause=cause, previous=previous)
    return link


def open_session(account: Account, link: Json) -> Json:
    """What a customer who opens the link pays: a session with the link's lines and metadata."""
    asked: Json = account.world.get("stripe.payment_link_asked", link["id"]) or {}
    given = {
        **{name: asked[name] for name in _SESSION_FIELDS if name in asked},
        "line_items": asked["line_items"],
        "metadata": dict(link["metadata"]),
        "payment_intent_data": asked.get("payment_intent_data", {}),
        "payment_link": link["id"],
        "success_url": _after(account, link),
    }
    return sessions.create(account, given, account.world.now())


def is_open(link: Json) -> bool:
    """Whether a customer who opens the link can pay."""
    return bool(link["active"]) and not used_up(link)


def used_up(link: Json) -> bool:
    """Whether as many sessions were completed as the link allows."""
    restrictions = link["restrictions"]
    if not restrictions:
        return False
    sessions = restrictions["completed_sessions"]
    return bool(sessions["count"] >= sessions["limit"])


def completed(account: Account, session: Json, at: int) -> list[Json]:
    """Count a session of a link that was paid. The last one that is allowed ends the link, and with it its other open
    sessions: these are returned."""
    link = account.find(LINK, session["payment_link"])
    if link is None or not link["restrictions"]:
        return []
    link["restrictions"]["completed_sessions"]["count"] += 1
    account.save(link)
    if not used_up(link):
        return []
    update(account, link, {"active": False}, at, NOBODY)
    others = account.newest(sessions.SESSION)
    return [other for other in others if other["payment_link"] == link["id"] and other["status"] == "open"]


def _after(account: Account, link: Json) -> str:
    """Where the customer goes after paying: the seller's page, or one of Stripe's own."""
    redirect = link["after_completion"].get("redirect")
    return str(redirect["url"]) if redirect else f"{account.world.url}/link/{link['id']}/thanks"


def _check(after: Json | None) -> None:
    if after and after["type"] == "redirect" and "redirect" not in after:
        raise invalid("Missing required param: after_completion[redirect].", "after_completion[redirect]")
