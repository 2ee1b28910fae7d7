"""PayPal's statement: its transaction search, each row as movements with the keys of the facts that it should be.

A payment is two movements, the money by its transaction and the fee beside it. So is a refund that brings a part of
the fee back. Every other code is a movement of the kind OTHER with its net amount. PayPal shows a row hours late, three
years back, and only 31 days and 10,000 rows at a time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from tillbook.kit.clock import rfc3339
from tillbook.kit.errors import Refused, Unavailable
from tillbook.kit.money import Money
from tillbook.rules.events import UnreadableRecord
from tillbook.rules.matching import OTHER, Movement
from tillbook.rules.operations import Json
from tillbook.vendors.one_by_one import each, plain
from tillbook.vendors.paypal.declaration import LAG_SECONDS
from tillbook.vendors.paypal.objects import moment, moment_if_any, money, text

Ask = Callable[[str, dict[str, str]], Json]

_TRANSACTIONS, _BALANCES = "/v1/reporting/transactions", "/v1/reporting/balances"
_WINDOW_SECONDS = 31 * 86_400
_REACHES_BACK_SECONDS = 3 * 365 * 86_400
_PAGE_SIZE = 500
_MOST_ROWS = 10_000
_ATTEMPTS = 4
_TOO_LARGE, _NOT_YET = "RESULTSET_TOO_LARGE", "not available"
# Pending and denied are no money. Success, reversed and partly refunded are: a row of its own takes it away again.
_NO_MONEY = ("P", "D")
_PAYMENT_CODE = re.compile(r"T00[0-9]{2}", re.ASCII)
_REFUND_CODE = "T1107"


def statement(ask: Ask, since: int, until: int, now: int) -> Iterator[Movement | UnreadableRecord]:
    """Every row of the three years before `now` that began from `since` to before `until` (UTC seconds)."""
    begin, end = max(since, now - _REACHES_BACK_SECONDS), min(until, now + 1)
    while begin < end:
        following = min(begin + _WINDOW_SECONDS, end)
        yield from each(_window(ask, begin, following, now), movements, _named)
        begin = following


def balance(ask: Ask) -> dict[str, Money | UnreadableRecord]:
    """What PayPal holds for us, by currency, as of its last refresh: the same moment that the statement goes up to."""
    found = ask(_BALANCES, {}).get("balances")
    if not isinstance(found, list):
        raise Unavailable("PayPal's answer lacks readable `balances`")
    return {one.currency: one for one in each(found, _held, _named_part)}


def account_id(ask: Ask) -> str:
    """The payer id of the account's owner."""
    return text(ask(_BALANCES, {}), "account_id")


def movements(row: Json) -> Iterator[Movement]:
    """One row's `transaction_info`. Raises Unreadable for one without its documented fields."""
    if text(row, "transaction_status") in _NO_MONEY:
        return
    key, code, at = text(row, "transaction_id"), text(row, "transaction_event_code"), _initiated(row)
    amount = money(row, "transaction_amount")
    reference = str(row.get("paypal_reference_id") or "")
    if _PAYMENT_CODE.fullmatch(code) and amount.minor > 0:
        kind, minor = "PaymentSucceeded", amount.minor
        payment = reference if reference and row.get("paypal_reference_id_type") == "ODR" else key
    elif code == _REFUND_CODE and amount.minor < 0:
        kind, minor, payment = "PaymentRefunded", -amount.minor, reference or key
    else:
        net, payment = (amount + _fee(row, amount.currency)).minor, reference or key
        yield Movement(f"{key}:{code}", OTHER, net, amount.currency, at, payment, "", "", code)
        return
    yield Movement(key, kind, minor, amount.currency, at, payment)
    if fee := _fee(row, amount.currency):  # PayPal writes what it keeps with a minus
        yield Movement(f"{key}:fee", "ProcessorFee", -fee.minor, fee.currency, at, payment)


def _fee(row: Json, currency: str) -> Money:
    return money(row, "fee_amount") if row.get("fee_amount") else Money.zero(currency)


def _named(row: Json) -> UnreadableRecord:
    """As much of an odd row as its name needs."""
    currency = plain(row.get("transaction_amount"), "currency_code")
    at = moment_if_any(row, "transaction_initiation_date")
    key = plain(row, "transaction_id")
    return UnreadableRecord("paypal", key, "", "", currency, plain(row, "paypal_reference_id") or key, at)


def _held(part: Json) -> tuple[Money]:
    return (money(part, "total_balance"),)


def _named_part(part: Any) -> UnreadableRecord:
    """A part of the balance has no id: it is known by its currency."""
    return UnreadableRecord("paypal", "balance", "total_balance", "", plain(part, "currency"))


def _window(ask: Ask, since: int, until: int, now: int) -> Iterator[Json]:
    """The rows of at most 31 days, read in halves where there are more rows than PayPal shows at a time."""
    rows = _rows(ask, since, until, now)
    if rows is not None:
        yield from rows
        return
    middle = (since + until) // 2
    if middle == since:
        raise Refused(f"PayPal cannot show what happened in the one second {rfc3339(since)}: it is too much")
    yield from _window(ask, since, middle, now)
    yield from _window(ask, middle, until, now)


def _rows(ask: Ask, since: int, until: int, now: int) -> list[Json] | None:
    """All rows of a window, or None when they are too many. PayPal counts on while it is read, so a window whose count
    changed is read again."""
    for _ in range(_ATTEMPTS):
        rows: list[Json] = []
        counts: set[int] = set()
        page, pages = 1, 1
        while page <= pages:
            try:
                answer = ask(_TRANSACTIONS, _query(since, until, page))
            except Refused as refusal:
                if _TOO_LARGE in refusal.code.upper():
                    return None
                if since >= now - LAG_SECONDS and _NOT_YET in refusal.message:
                    return []  # it begins after PayPal's last refresh
                raise
            found, pages = _count(answer, "total_items"), _count(answer, "total_pages")
            if found > _MOST_ROWS:
                return None
            counts.add(found)
            rows += _infos(answer, since, until)
            page += 1
        if len(counts) == 1:
            return rows
    raise Unavailable("PayPal's statement changed with every look", hint="Run it again at a quiet time.")


def _query(since: int, until: int, page: int) -> dict[str, str]:
    """PayPal's end belongs to the window, and its dates are whole seconds."""
    return {
        "start_date": rfc3339(since),
        "end_date": rfc3339(until - 1),
        "fields": "transaction_info",
        "balance_affecting_records_only": "Y",
        "page_size": str(_PAGE_SIZE),
        "page": str(page),
    }


def _infos(answer: Json, since: int, until: int) -> Iterator[Json]:
    details = answer.get("transaction_details") or ()  # it is missing where there are none
    for detail in details:
        info = detail.get("transaction_info") if isinstance(detail, dict) else None
        row = info if isinstance(info, dict) else {}
        at = moment_if_any(row, "transaction_initiation_date")
        if not at or since <= at < until:
            yield row


def _initiated(row: Json) -> int:
    return moment(row, "transaction_initiation_date")


def _count(answer: Json, name: str) -> int:
    value = answer.get(name)
    if type(value) is not int or value < 0:
        raise Unavailable(f"PayPal's statement lacks a readable `{name}`")
    return value
