"""`expand[]`: ids in an answer replaced by the objects they name."""

from __future__ import annotations

from simulator.stripe.account import Account
from simulator.stripe.checkout import sessions
from simulator.stripe.wire.errors import invalid
from simulator.stripe.wire.listing import page
from simulator.world import Json

_DEEPEST = 4
# Which fields of which object hold an id, and of what.
_LINKS: dict[str, dict[str, str]] = {
    "checkout.session": {
        "payment_intent": "payment_intent",
        "payment_link": "payment_link",
        "customer": "customer",
        "line_items": "line_items",
    },
    "payment_link": {"line_items": "line_items"},
    "payment_intent": {"latest_charge": "charge", "customer": "customer", "payment_method": "payment_method"},
    "charge": {
        "balance_transaction": "balance_transaction",
        "failure_balance_transaction": "balance_transaction",
        "payment_intent": "payment_intent",
        "customer": "customer",
        "refunds": "refunds",
    },
    "refunds": {"data": "refund"},
    "refund": {
        "balance_transaction": "balance_transaction",
        "failure_balance_transaction": "balance_transaction",
        "charge": "charge",
        "payment_intent": "payment_intent",
    },
    "dispute": {"charge": "charge", "payment_intent": "payment_intent"},
    "balance_transaction": {"source": "source"},
    "payout": {"balance_transaction": "balance_transaction"},
    "payment_method": {"customer": "customer"},
}
# A row's source is a charge, a refund, a dispute or a payout: what any of them can expand can be asked for.
_SOURCES = ("charge", "refund", "dispute", "payout")
_LINKS["source"] = {name: kind for source in _SOURCES for name, kind in _LINKS[source].items()}


def check(what: str, paths: list[str], *, listing: bool) -> None:
    """Refuse a path that does not lead from id to object. `what` is the kind of object (of a list: of its items)."""
    for path in paths:
        steps = path.split(".")
        if listing and (steps.pop(0) != "data" or not steps):
            raise _refusal(path)
        if len(steps) > _DEEPEST:
            raise invalid(f"You cannot expand more than {_DEEPEST} levels of a property. Property: {path}", "expand")
        kind = what
        for step in steps:
            if step not in _LINKS.get(kind, {}):
                raise _refusal(path)
            kind = _LINKS[kind][step]


def expand(account: Account, answer: Json, paths: list[str]) -> Json:
    """The answer with every (checked) path expanded. The stored objects stay as they are."""
    for path in paths:
        steps = path.split(".")
        if answer["object"] == "list":
            answer = {**answer, "data": [_follow(account, item, steps[1:]) for item in answer["data"]]}
        else:
            answer = _follow(account, answer, steps)
    return answer


def _follow(account: Account, thing: Json, steps: list[str]) -> Json:
    step, rest = steps[0], steps[1:]
    if step == "line_items":
        return {**thing, "line_items": _lines(account, thing)}
    if thing["object"] == "list":
        return {**thing, "data": [_follow(account, item, rest) for item in thing["data"]]} if rest else thing
    if step not in _LINKS.get(thing["object"], {}):
        return thing  # a row's source can be of a kind that has no such field
    value = thing.get(step)
    if step == "refunds":
        value = value or _refunds(account, thing)
    if isinstance(value, str):
        value = _find(account, _LINKS[thing["object"]][step], value) or value
    if isinstance(value, dict):
        value = _follow(account, value, rest) if rest else value
        return {**thing, step: value}
    return thing


def _find(account: Account, kind: str, key: str) -> Json | None:
    kinds = _SOURCES if kind == "source" else (kind,)
    return next((found for one in kinds if (found := account.find(one, key))), None)


def _refunds(account: Account, charge: Json) -> Json:
    found = (refund for refund in account.newest("refund") if refund["charge"] == charge["id"])
    return page(found, {}, f"/v1/charges/{charge['id']}/refunds", "refund")


def _lines(account: Account, holder: Json) -> Json:
    where = "payment_links" if holder["object"] == "payment_link" else "checkout/sessions"
    return page(sessions.lines(account, holder), {}, f"/v1/{where}/{holder['id']}/line_items", "line item")


def _refusal(path: str) -> Exception:
    return invalid(f"This property cannot be expanded ({path}).", "expand")
