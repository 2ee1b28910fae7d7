"""Stripe's lists: newest first, paged by the id of an object."""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

from simulator.stripe.wire.errors import no_such
from simulator.stripe.wire.forms import Field, Form, Many, Moment, Text, Whole
from simulator.world import Json

_LARGEST_PAGE = 100
_TESTS = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}
_PAGING: dict[str, Field] = {
    "limit": Whole(1, _LARGEST_PAGE),
    "starting_after": Text(),
    "ending_before": Text(),
    "expand": Many(Text()),
}


def form(**filters: Field) -> Form:
    """The parameters of a list: paging and these filters."""
    return Form({**_PAGING, **filters})


def dated_form(**filters: Field) -> Form:
    """The parameters of a list that can be filtered by `created`, too."""
    return form(created=Moment(), **filters)


def page(items: Iterable[Json], params: Json, url: str, what: str) -> Json:
    """One page of `items` (in their order). Raises StripeError when a cursor names nothing in `items`."""
    limit = params.get("limit", 10)
    if before := params.get("ending_before"):
        newer: deque[Json] = deque(_until(items, before, what), limit + 1)
        found = list(newer)
        data, more = found[-limit:], len(found) > limit
    else:
        rest = iter(items)
        if after := params.get("starting_after"):
            deque(_until(rest, after, what, "starting_after"), 0)
        found = list(islice(rest, limit + 1))
        data, more = found[:limit], len(found) > limit
    return {"object": "list", "data": data, "has_more": more, "url": url}


def inside(moment: int, wanted: Json | None) -> bool:
    """Whether a time lies in a `created` filter. No filter lets everything pass."""
    return not wanted or all(_TESTS[name](moment, limit) for name, limit in wanted.items())


def same(thing: Json, params: Json, *names: str) -> bool:
    """Whether the object has the wanted value in each of these fields that the call filters by."""
    return all(thing.get(name) == params[name] for name in names if name in params)


def _until(items: Iterable[Json], key: str, what: str, param: str = "ending_before") -> Iterator[Json]:
    """The items before the one with this id. Raises StripeError when it does not come."""
    for item in items:
        if item["id"] == key:
            return
        yield item
    raise no_such(what, key, param, 400)
