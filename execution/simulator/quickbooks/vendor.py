"""The simulated QuickBooks Online as the server and `/_control` use it."""

from __future__ import annotations

import secrets
from random import Random
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from simulator.control_input import Conflict, body, guarded
from simulator.quickbooks import strangers
from simulator.quickbooks.api import api_routes
from simulator.quickbooks.company.company import TRANSACTIONS, Company
from simulator.quickbooks.entities.merging import merge_customers
from simulator.quickbooks.entities.payments import show_settlement
from simulator.quickbooks.faults import Fault
from simulator.quickbooks.limits import forget_requests
from simulator.quickbooks.oauth.connect import Consent
from simulator.quickbooks.oauth.tokens import Tokens
from simulator.vendor import Options, Vendor
from simulator.world import Json, World


class QuickBooks(Vendor):
    """One company in the United States, with OAuth and the accounting API."""

    name = "quickbooks"
    hidden = ("requestid",)

    def __init__(self, world: World, options: Options) -> None:
        super().__init__(world, options)
        self._tokens = Tokens(world)

    @staticmethod
    def made_accounts() -> dict[str, str]:
        """The company, the application that is connected to it, and the first refresh token of that connection."""
        return {
            "quickbooks_realm": str(secrets.randbelow(9 * 10**15) + 10**15),
            "quickbooks_client_id": f"AB{secrets.token_hex(20)}",
            "quickbooks_client_secret": secrets.token_hex(20),
            "quickbooks_verifier_token": secrets.token_hex(18),
            "quickbooks_refresh_token": f"RT1-{secrets.token_hex(20)}",
        }

    def api(self) -> ASGIApp:
        """OAuth, the page where the owner connects the company, and the accounting API."""
        return Starlette(routes=[*Consent(self.world, self._tokens).routes(), *api_routes(self.world, self._tokens)])

    def fault(self, kind: str, path: str, form: str, headers: Headers) -> Response:
        """What Intuit answers when it fails (`500`), has had enough (`429`) or the app may not do this (`403`)."""
        limited = kind == "429"
        faults = {
            "429": Fault("3001", ""),
            "403": Fault("3100", "The application may not access this company.", kind="AuthorizationFault"),
            "500": Fault("10000", "", kind="SystemFault"),
        }
        fault = faults[kind]
        return JSONResponse({"Fault": fault.body()}, int(kind), {"Retry-After": "1"} if limited else {})

    def request_key(self, headers: Headers, query: str) -> str | None:
        """The `requestid` of the query."""
        return next(iter(parse_qs(query).get("requestid", [])), None)

    def control_routes(self) -> list[BaseRoute]:
        """What a person does in QuickBooks and no call of the API does."""
        return [Route("/merge", guarded(self._merge), methods=["POST"])]

    async def _merge(self, request: Request) -> Json:
        """Somebody makes two customers one: `gone` is left inactive, and its documents are those of `kept`."""
        given = await body(request, {"kept": str, "gone": str})
        company = Company(self.world)
        found = [company.find("Customer", given.get(name, "")) for name in ("kept", "gone")]
        kept, gone = (one if one and one["Active"] else None for one in found)
        if kept is None or gone is None or kept["Id"] == gone["Id"]:
            raise ValueError("kept and gone are the ids of two active customers")
        if kept["CurrencyRef"] != gone["CurrencyRef"]:
            raise Conflict("the two customers are in different currencies")
        merge_customers(company, kept, gone)
        return {"kept": kept["Id"], "gone": gone["Id"]}

    def stranger(self, chance: Random, at: int) -> None:
        """A person, or another program, works in the books."""
        strangers.act(self.world, chance, at)

    def forget(self, kind: str, key: str) -> None:
        """Remove an object. With a transaction goes what it did to balances and to what it settled."""
        if kind not in TRANSACTIONS:
            super().forget(kind, key)
            return
        company = Company(self.world)
        effects = company.take_back(f"{kind}/{key}")
        super().forget(kind, key)
        for application in effects.applied:
            target, _, target_key = application.target.partition("/")
            show_settlement(company, target, target_key, changed=True)

    def photograph(self) -> str:
        """Every token: they outlive a reset, so the World does not keep them."""
        return self._tokens.photograph()

    def restore(self, photograph: str) -> None:
        """Know the tokens of the photograph. Requests are counted anew, as the clock was put back."""
        self._tokens.restore(photograph)
        forget_requests(self.world)
