"""A third simulated vendor in one file: all that it takes to join the simulator."""

from __future__ import annotations

import json

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from simulator.control_input import Conflict
from simulator.deliveries import Channel, Deliveries
from simulator.vendor import Options, Processor
from simulator.world import Json, World


class CoinBox(Processor):
    """A box that takes whole cents: a checkout is made, paid and refunded, and an event tells of each."""

    name = "coinbox"
    hidden = ("start",)

    def __init__(self, world: World, options: Options) -> None:
        super().__init__(world, options)
        self.deliveries = Deliveries(world, Channel("coinbox", (60,), 3600, _bytes, self._sign))
        self.deliveries.offer(options.deliver_to)

    @staticmethod
    def made_accounts() -> dict[str, str]:
        """The key of its API."""
        return {"coinbox_key": "coin"}

    def api(self) -> ASGIApp:
        """`POST /checkouts` makes one."""
        return Starlette(routes=[Route("/checkouts", self._create, methods=["POST"])])

    def fault(self, kind: str, path: str, form: str, headers: Headers) -> Response:
        """Its answer is the kind of fault."""
        return Response(kind, int(kind))

    def request_key(self, headers: Headers, query: str) -> str | None:
        """The header `Coin-Key`."""
        return headers.get("coin-key")

    def pages(self) -> list[BaseRoute]:
        """One page for everybody, below the path of the API."""

        async def show(_request: Request) -> Response:
            return HTMLResponse("<h1>Insert coin</h1>")

        return [Route("/coinbox/page", show)]

    def knows(self, key: str) -> bool:
        """Whether it made the checkout."""
        return self._find(key) is not None

    def pay(self, given: Json) -> Json:
        """Money comes in, once."""
        checkout = self._needed(given["checkout_id"])
        if checkout["paid"]:
            raise Conflict(f"the checkout {checkout['id']} is paid")
        return self._become(checkout, paid=checkout["amount"])

    def refund(self, given: Json) -> Json:
        """Money goes back."""
        checkout = self._needed(given["payment"])
        return self._become(checkout, refunded=given.get("amount", checkout["paid"]))

    def end_refund(self, given: Json) -> Json:
        """Its refunds end at once."""
        raise Conflict("a refund of the coin box has ended already")

    def start_refunds(self, given: Json) -> Json:
        """Keep the choice where `/_control` does not show it."""
        return self.world.save("coinbox.start", "next", {"status": given["status"]})

    def dispute(self, given: Json) -> Json:
        """Coins are not disputed."""
        raise Conflict("nobody disputes a coin")

    def sums(self) -> dict[str, dict[str, int]]:
        """What was put in and given back."""
        rows = list(self.world.all("coinbox.checkout"))
        paid, refunded = sum(row["paid"] for row in rows), sum(row["refunded"] for row in rows)
        return {"captured": {"usd": paid}, "refunded": {"usd": refunded}, "statement": {"usd": paid - refunded}}

    async def _create(self, request: Request) -> Response:
        key = str(self.world.number("coinbox.checkout"))
        made = {"id": f"coin_{key}", "amount": (await request.json())["amount"], "paid": 0, "refunded": 0}
        return JSONResponse(self.world.save("coinbox.checkout", made["id"], made))

    def _find(self, key: str) -> Json | None:
        return self.world.get("coinbox.checkout", key)

    def _needed(self, key: str) -> Json:
        found = self._find(key)
        assert found is not None, "it is asked about its own checkouts only"
        return found

    def _become(self, checkout: Json, **changes: int) -> Json:
        changed = self.world.save("coinbox.checkout", checkout["id"], {**checkout, **changes})
        event = {"id": f"event_{self.world.number('coinbox.event')}", "checkout": changed}
        self.deliveries.queue(self.world.save("coinbox.event", event["id"], event))
        return changed

    async def _sign(self, body: bytes, at: int) -> dict[str, str]:
        return {"Coin-Signature": f"{self.world.accounts['coinbox_key']} {at} {len(body)}"}


def _bytes(event: Json) -> bytes:
    return json.dumps(event).encode()
