"""The web side of OAuth: discovery document, the owner's Connect page, token and revocation endpoints."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from html import escape
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from simulator.quickbooks.company.company import Company
from simulator.quickbooks.company.seed import ensure_seeded
from simulator.quickbooks.oauth.tokens import InvalidGrant, Tokens
from simulator.world import Json, World

_DISCOVERY = "/.well-known/openid_sandbox_configuration"


def oauth_routes(world: World, tokens: Tokens) -> list[BaseRoute]:
    """Everything about OAuth, relative to `/quickbooks`."""

    async def discover(request: Request) -> Response:
        base = str(request.url).split("/.well-known", maxsplit=1)[0]
        return JSONResponse(_discovery(base))

    async def authorize(request: Request) -> Response:
        return _authorize(world, tokens, request)

    async def token(request: Request) -> Response:
        if not _is_client(world, request):
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode("utf-8", "replace")).items()}
        return _token(tokens, form)

    async def revoke(request: Request) -> Response:
        if not _is_client(world, request):
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        try:
            known = tokens.revoke(str(json.loads(await request.body())["token"]))
        except (ValueError, KeyError, TypeError):
            known = False
        return Response() if known else JSONResponse({"error": "invalid_request"}, status_code=400)

    return [
        Route(_DISCOVERY, discover),
        Route(f"{_DISCOVERY}/", discover),
        Route("/connect/oauth2", authorize, methods=["GET", "POST"]),
        Route("/oauth2/v1/tokens/bearer", token, methods=["POST"]),
        Route("/oauth2/v1/tokens/revoke", revoke, methods=["POST"]),
    ]


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


def _authorize(world: World, tokens: Tokens, request: Request) -> Response:
    """GET shows the page with the Connect button; its POST sends the owner back with a code."""
    asked = request.query_params
    redirect_uri = asked.get("redirect_uri", "")
    target = urlsplit(redirect_uri)
    right = asked.get("client_id") == world.accounts["quickbooks_client_id"] and asked.get("response_type") == "code"
    if not right or target.scheme not in ("http", "https") or not target.netloc:
        return HTMLResponse(_page("This application is not known here."), status_code=400)
    if request.method == "GET":
        company = Company(world)
        ensure_seeded(company)
        name = escape(str((company.find("CompanyInfo", "1") or {})["CompanyName"]))
        button = '<form method="post"><button type="submit">Connect</button></form>'
        return HTMLResponse(_page(f"Tillbook asks to read and change the books of {name}.", button))
    answer = {"code": tokens.new_code(redirect_uri), "state": asked.get("state", "")}
    query = urlencode({**answer, "realmId": world.accounts["quickbooks_realm"]})
    return RedirectResponse(f"{redirect_uri}{'&' if target.query else '?'}{query}", status_code=303)


def _page(text: str, form: str = "") -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Connect to QuickBooks</title></head>'
        f"<body><h1>Connect to QuickBooks</h1><p>{text}</p>{form}</body></html>"
    )


def _token(tokens: Tokens, form: dict[str, str]) -> Response:
    try:
        if form.get("grant_type") == "authorization_code":
            return JSONResponse(tokens.exchange(form.get("code", ""), form.get("redirect_uri", "")))
        if form.get("grant_type") == "refresh_token":
            return JSONResponse(tokens.refresh(form.get("refresh_token", "")))
    except InvalidGrant:
        description = "Incorrect or expired token or code"
        return JSONResponse({"error": "invalid_grant", "error_description": description}, status_code=400)
    return JSONResponse({"error": "unsupported_grant_type"}, status_code=400)


def _is_client(world: World, request: Request) -> bool:
    """HTTP Basic with the application's id and secret."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return False
    expected = f"{world.accounts['quickbooks_client_id']}:{world.accounts['quickbooks_client_secret']}"
    return scheme.lower() == "basic" and hmac.compare_digest(given, expected.encode())
