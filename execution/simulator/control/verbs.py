"""The verbs of `/_control`: JSON in, JSON out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from simulator.background import Background
from simulator.control import planting
from simulator.control_input import body, choice, guarded
from simulator.rough import habits
from simulator.vendor import Processor, Vendor
from simulator.wire.exchange import RequestLog
from simulator.wire.faults import Faults
from simulator.world import Json, World

_LONGEST_STEP_SECONDS = 10 * 366 * 86_400
_MOST_COPIES = 100


class Control:
    """The handlers of `/_control`. Bad input is answered with 400 and a sentence."""

    def __init__(
        self, world: World, vendors: Sequence[Vendor], log: RequestLog, faults: Faults, stop: Callable[[], None]
    ) -> None:
        self._world = world
        self._vendors = {vendor.name: vendor for vendor in vendors}
        self._processors = {vendor.name: vendor for vendor in vendors if isinstance(vendor, Processor)}
        self._hidden = {kind for vendor in vendors for kind in vendor.hidden}
        self._log = log
        self._faults = faults
        self._stop = stop
        self._background = Background(world, vendors)

    def routes(self) -> list[BaseRoute]:
        """The routes below `/_control`."""
        rows: list[tuple[str, str, Callable[[Request], Any]]] = [
            ("GET", "/requests", self._requests),
            ("GET", "/faults", self._list_faults),
            ("POST", "/faults", self._add_fault),
            ("DELETE", "/faults", self._clear_faults),
            ("GET", "/clock", self._show_clock),
            ("POST", "/clock", self._advance),
            ("POST", "/pay", self._pay),
            ("POST", "/refund", self._refund),
            ("POST", "/refund_outcome", self._end_refund),
            ("POST", "/refunds", self._start_refunds),
            ("GET", "/rough", self._show_habits),
            ("POST", "/rough", self._take_on),
            ("POST", "/dispute", self._dispute),
            ("POST", "/dispute_outcome", self._end_dispute),
            ("POST", "/payout", self._pay_out),
            ("POST", "/plant", self._plant),
            ("POST", "/deliver", self._deliver),
            ("POST", "/deliveries", self._steer_deliveries),
            ("GET", "/state", self._state),
            ("POST", "/reset", self._reset),
            ("POST", "/stop", self._end),
        ]
        routes: list[BaseRoute] = [Route(path, guarded(handler), methods=[method]) for method, path, handler in rows]
        for vendor in self._vendors.values():
            routes += vendor.control_routes()
        return routes

    async def _requests(self, request: Request) -> Json:
        since = request.query_params.get("since", "0")
        if not since.isascii() or not since.isdigit():
            raise ValueError(f"since is the number of a request, not {since!r}")
        return {"requests": self._log.since(int(since))}

    async def _list_faults(self, _request: Request) -> Json:
        return {"faults": self._faults.shown()}

    async def _add_fault(self, request: Request) -> Json:
        return self._faults.add(await body(request, None)).shown()

    async def _clear_faults(self, _request: Request) -> Json:
        self._faults.clear()
        return {"faults": []}

    async def _show_clock(self, _request: Request) -> Json:
        return {"now": self._world.now()}

    async def _advance(self, request: Request) -> Json:
        given = await body(request, {"advance_seconds": int})
        seconds = given.get("advance_seconds")
        if seconds is None or not 0 <= seconds <= _LONGEST_STEP_SECONDS:
            raise ValueError(f"advance_seconds is a whole number from 0 to {_LONGEST_STEP_SECONDS}, not {seconds!r}")
        self._world.advance(seconds)
        self._background.pass_time()
        return {"now": self._world.now()}

    # -- money -------------------------------------------------------------------------------------

    async def _pay(self, request: Request) -> Json | Response:
        types = {"checkout_id": str, "card": str, "email": str, "name": str, "passed": bool, "decline": bool}
        given = await body(request, types)
        return self._owner(given, "checkout_id").pay(given)

    async def _refund(self, request: Request) -> Json:
        given = await body(request, {"payment": str, "amount": int, "reason": str, "status": str})
        if given.get("amount", 1) < 1:
            raise ValueError(f"amount is in minor units, 1 or more, not {given['amount']}")
        return self._owner(given, "payment").refund(given)

    async def _end_refund(self, request: Request) -> Json:
        given = await body(request, {"refund": str, "outcome": str})
        return self._owner(given, "refund").end_refund(given)

    async def _start_refunds(self, request: Request) -> Json:
        given = await body(request, {"status": str, "vendor": str})
        names = list(self._processors)
        return self._processors[choice(given, "vendor", names, names[0])].start_refunds(given)

    async def _dispute(self, request: Request) -> Json:
        given = await body(request, {"payment": str, "kind": str, "reason": str})
        return self._owner(given, "payment").dispute(given)

    async def _end_dispute(self, request: Request) -> Json:
        given = await body(request, {"dispute": str, "outcome": str})
        return self._owner(given, "dispute").end_dispute(given)

    async def _pay_out(self, request: Request) -> Json:
        given = await body(request, {"vendor": str, "amount": int, "currency": str})
        names = list(self._processors)
        processor = self._processors[choice(given, "vendor", names, names[0])]
        processor.pass_time()
        return processor.pay_out(given)

    def _owner(self, given: Json, field: str) -> Processor:
        """The vendor that knows the id in this field, up to date. The first one refuses an unknown id."""
        candidates = list(self._processors.values())
        owner = next((one for one in candidates if one.knows(given.get(field, ""))), candidates[0])
        owner.pass_time()
        return owner

    async def _take_on(self, request: Request) -> Json:
        """All habits of the real vendors, or those that are named."""
        given = await body(request, {"habits": list, "seed": int})
        habits.take_on(self._world, given.get("habits", habits.HABITS), given.get("seed", 0))
        self._background.pass_time()  # so that other people begin now
        return habits.kept(self._world)

    async def _show_habits(self, _request: Request) -> Json:
        return habits.kept(self._world)

    # -- what a comparison finds -------------------------------------------------------------------

    async def _plant(self, request: Request) -> Json:
        given = await body(request, {"vendor": str, "kind": str, "id": str, "set": dict, "forget": bool})
        vendor = self._vendors[choice(given, "vendor", list(self._vendors))]
        kind, key = given.get("kind", ""), given.get("id", "")
        if ("set" in given) == (given.get("forget") is True):
            raise ValueError("say either what to set, or forget: true")
        if kind in self._hidden:
            raise ValueError(f"{kind} is the simulator's own")
        if "set" in given:
            return planting.alter(vendor, kind, key, given["set"])
        planting.forget(vendor, kind, key)
        return {"forgotten": key}

    # -- events ------------------------------------------------------------------------------------

    async def _deliver(self, request: Request) -> Json:
        given = await body(request, {"event_id": str, "times": int})
        key, times = given.get("event_id", ""), given.get("times", 1)
        sender = next((one for one in self._processors.values() if one.knows_event(key)), None)
        if sender is None:
            raise ValueError(f"there is no event {key!r}")
        if not 1 <= times <= _MOST_COPIES:
            raise ValueError(f"times is a whole number from 1 to {_MOST_COPIES}, not {times}")
        if not sender.deliveries.address:
            raise ValueError("the simulator was started without an address to deliver events to")
        return {"statuses": await sender.deliveries.redeliver(key, times)}

    async def _steer_deliveries(self, request: Request) -> Json:
        """All vendors at once, or the one that `vendor` names."""
        given = await body(request, {"paused": bool, "discard": bool, "to": str, "vendor": str})
        name = choice(given, "vendor", list(self._processors), "")
        steered = [one.deliveries for one in self._processors.values() if name in ("", one.name)]
        lost = 0
        for deliveries in steered if "to" in given else ():
            (deliveries.point_to if name else deliveries.offer)(given["to"])
        for deliveries in steered:
            deliveries.paused = given.get("paused", deliveries.paused)
            lost += deliveries.discard() if given.get("discard") else 0
            deliveries.pump()
        first, counts = steered[0], _added(deliveries.counts() for deliveries in steered)
        return {"paused": first.paused, "to": first.address, "discarded": lost, **counts}

    # -- the whole world ---------------------------------------------------------------------------

    async def _state(self, request: Request) -> Json:
        wanted = request.query_params.getlist("kind")
        kinds = [kind for kind in self._world.kinds() if kind.partition(".")[2] not in self._hidden]
        shown = [kind for kind in kinds if kind in wanted] if wanted else kinds
        sums = {name: vendor.sums() for name, vendor in self._processors.items()}
        return {
            "now": self._world.now(),
            "folder": str(self._world.folder),
            "counts": {kind: self._world.count(kind) for kind in kinds},
            "objects": {kind: list(self._world.all(kind)) for kind in shown},
            **{what: {name: sums[name][what] for name in sums} for what in ("captured", "refunded", "statement")},
            "deliveries": _added(vendor.deliveries.counts() for vendor in self._processors.values()),
        }

    async def _end(self, _request: Request) -> Json:
        """The process ends as with Ctrl-C."""
        self._stop()
        return {"stopped": True}

    async def _reset(self, _request: Request) -> Json:
        for processor in self._processors.values():
            await processor.reset()
        self._faults.clear()
        self._log.clear()
        self._world.reset()
        return {"now": self._world.now()}


def _added(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Counts by name, added up."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return dict(total)
