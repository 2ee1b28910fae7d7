"""PayPal's own account of the money: the transaction search and the balances, both some hours behind."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from simulator.names import names
from simulator.paypal.account import Account
from simulator.paypal.statement.rows import ROW, STATUSES
from simulator.paypal.wire.amounts import money
from simulator.paypal.wire.call import Call, Reply
from simulator.paypal.wire.errors import invalid
from simulator.paypal.wire.times import moment, stamp
from simulator.rough import habits
from simulator.world import Json, World

LAG_SECONDS = 3 * 3600
MOST_ROWS, MOST_DAYS = 10_000, 31
_REACHES_BACK_SECONDS = 3 * 366 * 86_400
_LARGEST_PAGE, _USUAL_PAGE, _LAST_PAGE = 500, "100", 2_147_483_647
_PARTS = names("""transaction_info payer_info shipping_info auction_info cart_info incentive_info store_info""")
_NOT_SIMULATED = ("transaction_amount", "payment_instrument_type", "store_id", "terminal_id")
_UNAVAILABLE = "Data for the given start date is not available."
_TOO_LARGE = "Result set size is greater than the maximum limit. Change the filter criteria and try again."
# PayPal's schema allows no other characters in what the merchant said.
_PLAIN = re.compile(r"[a-zA-Z0-9_'\-., \":;!?]{1,127}", re.ASCII)


def lag_seconds(world: World) -> int:
    """How far the reports are behind, in simulated seconds."""
    kept = world.get("paypal.reporting", "lag")
    return int(kept["seconds"]) if kept else LAG_SECONDS


def set_lag(world: World, seconds: int) -> None:
    """Let the reports be this far behind from now on. A reset of the World ends it."""
    world.save("paypal.reporting", "lag", {"id": "lag", "seconds": seconds})


def search(account: Account, call: Call) -> Reply:
    """`GET /v1/reporting/transactions`: one page of the rows between two dates, the oldest first."""
    refreshed = call.now - lag_seconds(account.world)
    start, end = _dates(call, refreshed)
    page, size = _number(call, "page", "1", _LAST_PAGE), _number(call, "page_size", _USUAL_PAGE, _LARGEST_PAGE)
    parts = _parts(call)
    rows = [row for row in _found(account, call) if start <= row["at"] <= min(end, refreshed)]
    if len(rows) > MOST_ROWS:
        raise invalid("RESULTSET_TOO_LARGE", _TOO_LARGE)
    shown = sorted(rows, key=lambda row: int(row["at"]))[(page - 1) * size : page * size]
    pages = -(-len(rows) // size)
    answer: Json = {
        "account_number": account.merchant_id,
        "start_date": stamp(int(start)),
        "end_date": stamp(int(min(end, refreshed))),
        "last_refreshed_datetime": stamp(refreshed),
        "page": page,
        "total_items": len(rows),
        "total_pages": pages,
        "links": _links(account, call, page, pages),
    }
    # The schema has no empty list of details.
    details = [_detail(account.world, row, parts) for row in shown]
    return 200, {"transaction_details": details, **answer} if details else answer


def balances(account: Account, call: Call) -> Reply:
    """`GET /v1/reporting/balances`: what the account holds in each currency, as of a time or the last refresh."""
    refreshed = call.now - lag_seconds(account.world)
    asked = moment(call.params["as_of_time"], "as_of_time") if "as_of_time" in call.params else refreshed
    if asked < call.now - _REACHES_BACK_SECONDS:
        raise invalid("INVALID_PARAMETER_VALUE", field="as_of_time", value=call.params["as_of_time"])
    as_of = min(int(asked), refreshed)
    held = {"USD": 0}
    for row in account.all(ROW):
        if STATUSES.get(row["status"]) and row["at"] <= as_of:
            held[row["currency"]] = held.get(row["currency"], 0) + row["amount_minor"] + row["fee_minor"]
    wanted = call.params.get("currency_code", "")
    answer = {
        "balances": [_balance(account.world, name, held[name]) for name in sorted(held) if wanted in ("", name)],
        "account_id": account.merchant_id,
        "as_of_time": stamp(as_of),
        "last_refresh_time": stamp(refreshed),
    }
    return 200, answer


ROUTES = (("GET", "/v1/reporting/transactions", search), ("GET", "/v1/reporting/balances", balances))


def _dates(call: Call, refreshed: int) -> tuple[float, float]:
    """The dates that were asked for, in UTC seconds. Raises PayPalError for dates that PayPal does not serve."""
    for name in ("start_date", "end_date"):
        if not call.params.get(name):
            raise invalid("MISSING_REQUIRED_PARAMETER", field=name)
    said = (call.params["start_date"], call.params["end_date"])
    start, end = moment(said[0], "start_date"), moment(said[1], "end_date")
    if end < start:
        raise invalid(
            "INVALID_PARAMETER_VALUE", "The end date is before the start date.", field="end_date", value=said[1]
        )
    if end - start > MOST_DAYS * 86_400:
        issue = "Date range is greater than 31 days"
        raise invalid(issue, f"{issue}.", field="end_date", value=said[1])
    if not call.now - _REACHES_BACK_SECONDS <= start <= refreshed:
        raise invalid(_UNAVAILABLE, _UNAVAILABLE, field="start_date", value=said[0])
    return start, end


def _number(call: Call, name: str, usual: str, largest: int) -> int:
    value = call.params.get(name, usual)
    if not (value.isascii() and value.isdigit() and len(value) <= 10 and 1 <= int(value) <= largest):
        raise invalid("INVALID_PARAMETER_VALUE", f"{name} is from 1 to {largest}.", field=name, value=value)
    return int(value)


def _parts(call: Call) -> list[str]:
    """Which parts of a row were asked for."""
    asked = call.params.get("fields", "transaction_info").split(",")
    if asked == ["all"]:
        return list(_PARTS)
    for part in asked:
        if part not in _PARTS:
            raise invalid("INVALID_PARAMETER_VALUE", field="fields", value=part)
    return asked


def _found(account: Account, call: Call) -> list[Json]:
    """The rows that the filters let pass. What the simulator cannot filter by is refused, never passed over."""
    asked = call.params
    for name in _NOT_SIMULATED:
        if name in asked:
            raise invalid("INVALID_PARAMETER_VALUE", "The simulator has no such filter.", field=name, value=asked[name])
    only = asked.get("balance_affecting_records_only", "Y")
    if only not in ("Y", "N"):
        raise invalid("INVALID_PARAMETER_VALUE", field="balance_affecting_records_only", value=only)
    if (status := asked.get("transaction_status", "S")) not in STATUSES:
        raise invalid("INVALID_PARAMETER_VALUE", field="transaction_status", value=status)
    if "transaction_id" in asked and not 17 <= len(asked["transaction_id"]) <= 19:
        raise invalid("INVALID_STRING_LENGTH", field="transaction_id", value=asked["transaction_id"])
    fields = {
        "transaction_id": "transaction_id",
        "transaction_type": "code",
        "transaction_status": "status",
        "transaction_currency": "currency",
    }
    wanted = {fields[name]: value for name, value in asked.items() if name in fields}
    return [
        row
        for row in account.all(ROW)
        if (only == "N" or STATUSES.get(row["status"])) and all(row[name] == value for name, value in wanted.items())
    ]


def _links(account: Account, call: Call, page: int, pages: int) -> list[Json]:
    """The page itself, and the others by their part in the whole."""
    places = {"self": page}
    if page < pages:
        places |= {"next": page + 1, "last": pages}
    if page > 1:
        places |= {"first": 1, "prev": page - 1}
    return [
        account.link(name, f"{call.path}?{urlencode({**call.params, 'page': number})}")
        for name, number in places.items()
    ]


def _detail(world: World, row: Json, parts: list[str]) -> Json:
    """A row as PayPal shows it. Only the part about money is known."""
    return {part: _info(world, row) if part == "transaction_info" else {} for part in parts}


def _written(world: World, minor: int, currency: str) -> Json:
    """An amount of a report: with the habit `fractions` a yen has decimals, too."""
    amount = money(minor, currency)
    bare = "." not in amount["value"] and habits.has(world, "fractions")
    return {**amount, "value": f"{amount['value']}.00"} if bare else amount


def _info(world: World, row: Json) -> Json:
    info: Json = {
        "transaction_id": row["transaction_id"],
        "transaction_event_code": row["code"],
        "transaction_initiation_date": stamp(row["at"]),
        "transaction_updated_date": stamp(row["updated"]),
        "transaction_amount": _written(world, row["amount_minor"], row["currency"]),
        "transaction_status": row["status"],
    }
    if row["fee_minor"]:
        info["fee_amount"] = _written(world, row["fee_minor"], row["currency"])
    if row["reference_id"]:
        info["paypal_reference_id"] = row["reference_id"]
        info["paypal_reference_id_type"] = row["reference_type"]
    for name, text in (("invoice_id", row["invoice_id"]), ("custom_field", row["custom"])):
        if text and _PLAIN.fullmatch(text):
            info[name] = text
    return info


def _balance(world: World, currency: str, held: int) -> Json:
    amount = _written(world, held, currency)
    none = _written(world, 0, currency)
    return {
        "currency": currency,
        "primary": currency == "USD",
        "total_balance": amount,
        "available_balance": amount,
        "withheld_balance": none,
    }
