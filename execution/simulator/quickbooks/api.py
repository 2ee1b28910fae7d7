"""The accounting API over HTTP: `/v3/company/{realm}/...`, answers and faults as Intuit gives them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from simulator.authorization import credentials
from simulator.quickbooks import faults
from simulator.quickbooks.asking import bulk, reports
from simulator.quickbooks.asking.selection import answer
from simulator.quickbooks.company.company import Company
from simulator.quickbooks.company.seed import ensure_seeded
from simulator.quickbooks.entities import engine
from simulator.quickbooks.entities.kinds import BY_PATH, Kind
from simulator.quickbooks.exact import dumps, loads
from simulator.quickbooks.limits import Limiter
from simulator.quickbooks.oauth.tokens import Tokens
from simulator.world import Json, World

LONGEST_REQUEST_ID = 50


@dataclass(frozen=True)
class _Call:
    """One request: the words of its path after the realm, and what it carries."""

    method: str
    words: list[str]
    params: Mapping[str, str]
    content_type: str
    body: bytes

    def json(self) -> Json:
        value = loads(self.body)
        if not isinstance(value, dict):
            raise faults.unknown_property("request body")
        return value


def api_routes(world: World, tokens: Tokens) -> list[BaseRoute]:
    """The API, relative to `/quickbooks`."""
    limiter = Limiter(world)

    async def call(request: Request) -> Response:
        path: str = request.path_params["path"]
        body = await request.body()
        content_type = request.headers.get("content-type", "")
        asked = _Call(request.method, path.strip("/").split("/"), request.query_params, content_type, body)
        company = Company(world)
        try:
            _check_access(company, tokens, request)
            limiter.check()
            ensure_seeded(company)
            return _response(200, _answer(company, asked))
        except faults.Fault as fault:
            return _response(fault.status, dumps({"Fault": fault.body(), "time": company.now_text()}))

    return [Route("/v3/company/{realm}/{path:path}", call, methods=["GET", "POST"])]


def _response(status: int, text: str) -> Response:
    headers = {"intuit_tid": f"1-{uuid.uuid4().hex}"}
    return Response(text, status_code=status, headers=headers, media_type="application/json;charset=UTF-8")


def _check_access(company: Company, tokens: Tokens, request: Request) -> None:
    scheme, token = credentials(request.headers.get("authorization", ""))
    if scheme != "bearer" or not tokens.is_open(token):
        raise faults.unauthenticated()
    if request.path_params["realm"] != company.realm:
        raise faults.wrong_company()


def _answer(company: Company, call: _Call) -> str:
    """The answer's text. The first answer to a requestid is kept, and given again whatever is asked with it."""
    request_id = call.params.get("requestid", "")
    if call.method != "POST" or not request_id or call.words == ["query"]:
        return dumps({**_dispatch(company, call), "time": company.now_text()})
    if len(request_id) > LONGEST_REQUEST_ID:
        raise faults.too_long("requestid", LONGEST_REQUEST_ID, len(request_id))
    first = company.world.get("quickbooks.requestid", request_id)
    if first is not None:
        return str(first["answer"])
    text = dumps({**_dispatch(company, call), "time": company.now_text()})
    company.world.save("quickbooks.requestid", request_id, {"answer": text})
    return text


def _dispatch(company: Company, call: _Call) -> Json:
    first = call.words[0].lower()
    if first == "query":
        return {"QueryResponse": answer(company, _query_text(call))}
    if first == "batch" and call.method == "POST":
        return bulk.batch(company, call.json())
    if first == "cdc":
        return bulk.changes(company, call.params.get("entities", ""), call.params.get("changedSince", ""))
    if first == "reports" and call.words[1:] == ["TrialBalance"]:
        end = call.params.get("end_date", company.today())
        return reports.trial_balance(company, end, call.params.get("accounting_method", "Accrual"))
    kind = BY_PATH.get(first)
    if kind is None:
        raise faults.unsupported(first)
    return {kind.name: _read(company, kind, call) if call.method == "GET" else _change(company, kind, call)}


def _query_text(call: _Call) -> str:
    """The query of a GET's parameter, or of a POST's body, raw or as a form."""
    if call.method == "GET":
        return call.params.get("query", "")
    try:
        text = call.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise faults.query_syntax("The query is not UTF-8") from error
    if "x-www-form-urlencoded" in call.content_type:
        return parse_qs(text).get("query", [""])[0]
    return text


def _read(company: Company, kind: Kind, call: _Call) -> Json:
    if kind.name in ("Preferences", "CompanyInfo"):
        return engine.read(company, kind, "1")
    if kind.name == "ExchangeRate":
        return _exchange_rate(company, call.params)
    if not call.words[1:]:
        raise faults.missing("Id")
    return engine.read(company, kind, call.words[1])


def _exchange_rate(company: Company, params: Mapping[str, str]) -> Json:
    """The rate of a currency that holds on a day."""
    code, day = params.get("sourcecurrencycode", ""), params.get("asofdate", company.today())
    known = [one for one in company.all("ExchangeRate") if one["SourceCurrencyCode"] == code]
    if not known:
        raise faults.invalid_reference("Currency", code, "sourcecurrencycode")
    held = [one for one in known if str(one["AsOfDate"]) <= day]
    return max(held or known[:1], key=lambda one: str(one["AsOfDate"]))


def _change(company: Company, kind: Kind, call: _Call) -> Json:
    if call.words[2:] == ["send"]:
        return engine.send(company, kind, call.words[1], call.params.get("sendTo", ""))
    operation = call.params.get("operation", "").lower()
    include = call.params.get("include", "").lower()
    body = call.json()
    if operation == "delete":
        return engine.delete(company, kind, body)
    if operation == "void" or include == "void":
        return engine.void(company, kind, body)
    allow_duplicate = include == "allowduplicatedocnum"
    if operation == "update" or body.get("Id") or kind.name in ("Preferences", "CompanyInfo"):
        return engine.update(company, kind, body, allow_duplicate=allow_duplicate)
    return engine.create(company, kind, body, allow_duplicate=allow_duplicate)
