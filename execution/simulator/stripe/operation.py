"""What an operation of the API is, and the two kinds that many objects share: to retrieve one, and to list them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulator.stripe.account import Account
from simulator.stripe.wire.forms import Form, Many, Text
from simulator.stripe.wire.listing import inside, page, same
from simulator.world import Json

READ = Form({"expand": Many(Text())})


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


def retrieve(what: str, param: str = "id") -> Callable[[Call], Json]:
    """Give the object with the id of the path. An unknown id is refused under the name `param`."""
    return lambda call: call.account.need(what, call.key, param)


def listed(what: str, *filters: str) -> Callable[[Call], Json]:
    """List objects of a kind, newest first, filtered by `created` and by equality in `filters`."""

    def act(call: Call) -> Json:
        wanted = call.params.get("created")
        found = (
            thing
            for thing in call.account.newest(what)
            if inside(thing.get("created", 0), wanted) and same(thing, call.params, *filters)
        )
        return page(found, call.params, call.path, what)

    return act
