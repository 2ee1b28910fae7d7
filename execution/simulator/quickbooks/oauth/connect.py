"""The web side of OAuth: discovery document, the owner's Connect page, token and revocation endpoints."""

from __future__ import annotations

import json
from html import escape
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from simulator.authorization import credentials
from simulator.quickbooks.company.company import Company
from simulator.quickbooks.company.seed import ensure_seeded
from simulator.quickbooks.oauth.tokens import InvalidGrant, Tokens
from simulator.world import Json, World

_DISCOVERY = "/.well-known/openid_sandbox_configuration"


class Consent:
    """The endpoints, relative to `/quickbooks`."""

    def __init__(self, world: World, tokens: Tokens) -> None:
        self._world, self._tokens = world, tokens

    def routes(self) -> list[BaseRoute]:
        """Where a client finds the endpoints, the Connect page, and where tokens are made and ended."""
        return [
            Route(_DISCOVERY, self._discover),
            Route(f"{_DISCOVERY}/", self._discover),
            Route("/connect/oauth2", self._authorize, methods=["GET", "POST"]),
            Route("/oauth2/v1/tokens/bearer", self._give_token, methods=["POST"]),
            Route("/oauth2/v1/tokens/revoke", self._revoke, methods=["POST"]),
        ]

    async def _discover(self, request: Request) -> Response:
        return JSONResponse(_discovery(str(request.url).split("/.well-known", maxsplit=1)[0]))

    async def _authorize(self, request: Request) -> Response:
        """GET shows the page with the Connect button. Its POST sends the owner back with a code."""
        asked, accounts = request.query_params, self._world.accounts
        redirect_uri = asked.get("redirect_uri", "")
        target = urlsplit(redirect_uri)
        right = asked.get("client_id") == accounts["quickbooks_client_id"] and asked.get("response_type") == "code"
        if not right or target.scheme not in ("http", "https") or not target.netloc:
            return HTMLResponse(_page("This application is not known here."), status_code=400)
        if request.method == "GET":
            company = Company(self._world)
            ensure_seeded(company)
            name = escape(str((company.find("CompanyInfo", "1") or {})["CompanyName"]))
            button = '<form method="post"><button type="submit">Connect</button></form>'
            return HTMLResponse(_page(f"Tillbook asks to read and change the books of {name}.", button))
        answer = {"code": self._tokens.new_code(redirect_uri), "state": asked.get("state", "")}
        query = urlencode({**answer, "realmId": accounts["quickbooks_realm"]})
        return RedirectResponse(f"{redirect_uri}{'&' if target.query else '?'}{query}", status_code=303)

    async def _give_token(self, request: Request) -> Response:
        if not self._is_client(request):
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode("utf-8", "replace")).items()}
        try:
            if form.get("grant_type") == "authorization_code":
                return JSONResponse(self._tokens.exchange(form.get("code", ""), form.get("redirect_uri", "")))
            if form.get("grant_type") == "refresh_token":
                return JSONResponse(self._tokens.refresh(form.get("refresh_token", "")))
        except InvalidGrant:
            description = "Incorrect or expired token or code"
            return JSONResponse({"error": "invalid_grant", "error_description": description}, status_code=400)
        return JSONResponse({"error": "unsupported_grant_type"}, status_code=400)

    async def _revoke(self, request: Request) -> Response:
        if not self._is_client(request):
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        try:
            known = self._tokens.revoke(str(json.loads(await request.body())["token"]))
        except (ValueError, KeyError, TypeError):
            known = False
        return Response() if known else JSONResponse({"error": "invalid_request"}, status_code=400)

    def _is_client(self, request: Request) -> bool:
        """HTTP Basic with the application's id and secret."""
        accounts = self._world.accounts
        right = f"{accounts['quickbooks_client_id']}:{accounts['quickbooks_client_secret']}"
        return credentials(request.headers.get("authorization", "")) == ("basic", right)


def _discovery(base: str) -> Json:
    return {
        "issuer": f"{base}/op/v1",
        "authorization_endpoint": f"{base}/connect/oauth2",
        "token_endpoint": f"{base}/oauth2/v1/tokens/bearer",
        "revocation_endpoint": f"{base}/oauth2/v1/tokens/revoke",
        "userinfo_endpoint": f"{base}/v1/openid_connect/userinfo",
        "jwks_uri": f"{base}/op/v1/jwks",
        "response_types_supported": ["code"],
        "scopes_supported": ["com.intuit.quickbooks.accounting"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
    }


def _page(text: str, form: str = "") -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Connect to QuickBooks</title></head>'
        f"<body><h1>Connect to QuickBooks</h1><p>{text}</p>{form}</body></html>"
    )
