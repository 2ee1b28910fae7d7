"""PayPal's statement: rows as movements, windows, halves, lateness, and what is not money."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.providers import set_stage
from helpers.providers.paypal.stage import PayPalStage
from helpers.providers.words import raised
from helpers.vendors.stand_in import StandIn
from tillbook.kit.clock import parse_rfc3339, rfc3339
from tillbook.kit.errors import NotAllowed, Refused, Unavailable
from tillbook.kit.money import Money
from tillbook.rules.events import UnreadableRecord
from tillbook.rules.matching import OTHER, Movement, clearing_minor
from tillbook.vendors.paypal.statement import LAG_SECONDS, balance, movements, statement

Json = dict[str, Any]
NOW, DAY = 1_795_683_900, 86_400
ORDER, CAPTURE, REFUND = "5O190127TN364715T", "2GG279541U471931P", "1JU08902781691411"


def row(code: str = "T0006", amount: str = "60.00", *, at: int = NOW, **changes: Any) -> Json:
    """A row's `transaction_info`."""
    plain = {
        "transaction_id": CAPTURE,
        "transaction_event_code": code,
        "transaction_initiation_date": rfc3339(at),
        "transaction_amount": {"currency_code": "USD", "value": amount},
        "transaction_status": "S",
    }
    return {**plain, **changes}


def usd(value: str) -> Json:
    return {"currency_code": "USD", "value": value}


class Bank:
    """Rows at PayPal, shown as its transaction search does: 31 days, `most` rows, `size` a page."""

    def __init__(self, rows: list[Json], *, most: int = 10_000, size: int = 500) -> None:
        self.rows, self.most, self.size = rows, most, size
        self.windows: list[tuple[int, int]] = []

    def ask(self, _path: str, query: dict[str, str]) -> Json:
        since, until = parse_rfc3339(query["start_date"]), parse_rfc3339(query["end_date"])
        assert 0 <= until - since <= 31 * DAY
        assert query["balance_affecting_records_only"] == "Y"
        if query["page"] == "1":
            self.windows.append((since, until))
        found = [one for one in self.rows if since <= parse_rfc3339(one["transaction_initiation_date"]) <= until]
        if len(found) > self.most:
            raise Refused("PayPal refused", code="RESULTSET_TOO_LARGE")
        first = (int(query["page"]) - 1) * self.size
        shown = [{"transaction_info": one} for one in found[first : first + self.size]]
        answer: Json = {"total_items": len(found), "total_pages": -(-len(found) // self.size)}
        return {**answer, "transaction_details": shown} if shown else answer


# -- rows ------------------------------------------------------------------------------------------

ODR = {"paypal_reference_id": ORDER, "paypal_reference_id_type": "ODR"}
TXN = {"paypal_reference_id": CAPTURE, "paypal_reference_id_type": "TXN"}


@pytest.mark.parametrize(
    ("given_row", "expected"),
    [
        (
            row(fee_amount=usd("-2.58"), **ODR),
            [(CAPTURE, "PaymentSucceeded", 6000, ORDER), (f"{CAPTURE}:fee", "ProcessorFee", 258, ORDER)],
        ),
        (row(**ODR), [(CAPTURE, "PaymentSucceeded", 6000, ORDER)]),
        (row("T0011", transaction_id=REFUND, **TXN), [(REFUND, "PaymentSucceeded", 6000, REFUND)]),
        (row(fee_amount=usd("0.00")), [(CAPTURE, "PaymentSucceeded", 6000, CAPTURE)]),
        (row("T1107", "-20.00", transaction_id=REFUND, **TXN), [(REFUND, "PaymentRefunded", 2000, CAPTURE)]),
        (
            row("T1107", "-20.00", transaction_id=REFUND, fee_amount=usd("0.70"), **TXN),
            [(REFUND, "PaymentRefunded", 2000, CAPTURE), (f"{REFUND}:fee", "ProcessorFee", -70, CAPTURE)],
        ),
        (row("T0006", "-60.00", fee_amount=usd("-1.00")), [(f"{CAPTURE}:T0006", OTHER, -6100, CAPTURE)]),
        (row("T1107", "20.00"), [(f"{CAPTURE}:T1107", OTHER, 2000, CAPTURE)]),
        (row("T0400", "-500.00"), [(f"{CAPTURE}:T0400", OTHER, -50000, CAPTURE)]),
        (row("T1201", "-60.00", fee_amount=usd("-20.00"), **TXN), [(f"{CAPTURE}:T1201", OTHER, -8000, CAPTURE)]),
    ],
    ids=lambda value: str(value)[-40:],
)
def test_a_row_has_the_keys_of_its_facts(given_row: Json, expected: list[tuple[str, str, int, str]]) -> None:
    """Payments, fees and refunds as facts have them; a fee that comes back is negative; all else by its net amount."""
    found = list(movements(given_row))
    assert [(one.key, one.kind, one.minor, one.payment) for one in found] == expected
    assert all((one.at, one.currency) == (NOW, "USD") for one in found)
    assert all(one.state == (given_row["transaction_event_code"] if one.kind == OTHER else "") for one in found)


@pytest.mark.parametrize(("status", "counts"), [("S", True), ("V", True), ("F", True), ("P", False), ("D", False)])
def test_c18_pending_and_denied_rows_are_no_money(status: str, counts: bool) -> None:
    """C18: what was given back later came in all the same: another row takes it away."""
    assert bool(list(movements(row(transaction_status=status)))) is counts


@pytest.mark.parametrize(
    "changes",
    [
        {"transaction_id": None},
        {"transaction_event_code": ""},
        {"transaction_status": None},
        {"transaction_initiation_date": "yesterday"},
        {"transaction_amount": None},
        {"transaction_amount": {"currency_code": "USD", "value": 60}},
        {"fee_amount": {"currency_code": "USD"}},
    ],
    ids=str,
)
def test_c20_a_row_that_lacks_a_figure_is_not_passed_over(changes: Json) -> None:
    """C20: a statement with a hole in it proves nothing."""
    raised(Unavailable, lambda: list(movements(row(**changes))))


def test_times_of_both_forms_are_read() -> None:
    """PayPal writes offsets with and without their colon."""
    for written in ("2026-11-26T09:05:00Z", "2026-11-26T09:05:00+0000", "2026-11-26T02:05:00-07:00"):
        (found,) = movements(row(transaction_initiation_date=written))
        assert found.at == NOW


def test_ids_are_not_unique() -> None:
    """Two rows of one id with other codes are two movements; nothing of either is lost."""
    rows = [row(), row("T0400", "-10.00"), row("T0200", "-5.00")]
    found = list(statement(Bank(rows).ask, NOW - DAY, NOW + 1, NOW))
    assert len({one.key for one in found}) == 3
    assert clearing_minor(found) == 6000 - 1000 - 500


# -- windows ---------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    st.lists(st.integers(NOW - 200 * DAY, NOW), max_size=60),
    st.integers(NOW - 200 * DAY, NOW),
    st.integers(NOW - 200 * DAY, NOW + DAY),
    st.integers(3, 9),
)
def test_b27_windows_and_halves_lose_nothing(times: list[int], since: int, until: int, most: int) -> None:
    """B27: whatever is asked for, each row is there once: no window over 31 days, none of too many rows."""
    counted = {at: times.count(at) for at in times}
    rows = [row(at=at, transaction_id=f"T{number}") for number, at in enumerate(times) if counted[at] <= most]
    bank = Bank(rows, most=most, size=2)
    found = list(statement(bank.ask, since, until, NOW))
    expected = [
        one["transaction_id"] for one in rows if since <= parse_rfc3339(one["transaction_initiation_date"]) < until
    ]
    assert sorted(one.key for one in found) == sorted(expected)
    assert all(first <= last for first, last in bank.windows)


def test_b27_rows_beside_the_window_are_left_out() -> None:
    """What PayPal shows of the seconds around is in another window, or was not asked for."""
    shown = [row(at=at, transaction_id=f"T{at}") for at in (NOW - 61, NOW - 60, NOW - 1, NOW)]
    answer = {"total_items": 4, "total_pages": 1, "transaction_details": [{"transaction_info": one} for one in shown]}
    assert [one.at for one in statement(lambda *_: answer, NOW - 60, NOW, NOW)] == [NOW - 60, NOW - 1]


def test_b27_a_second_with_too_many_rows_is_said() -> None:
    """Nothing is cut off in silence."""
    bank = Bank([row(transaction_id=f"T{number}") for number in range(9)], most=8)
    assert "too much" in raised(Refused, lambda: list(statement(bank.ask, NOW - DAY, NOW + 1, NOW))).message


def test_b27_more_rows_than_paypal_shows_are_never_believed() -> None:
    """A count above the limit splits the window even where PayPal does not refuse."""
    asked: list[Json] = []

    def ask(_path: str, query: dict[str, str]) -> Json:
        asked.append(query)
        return {"total_items": 10_001 if len(asked) == 1 else 0, "total_pages": 21}

    assert list(statement(lambda path, query: {**ask(path, query), "total_pages": 1}, NOW - DAY, NOW, NOW)) == []
    assert len(asked) == 3


def test_a_statement_that_changes_while_it_is_read_is_read_again() -> None:
    """PayPal counts on: pages of two counts do not make one list; after some looks we say so."""
    totals = iter([600, 601, 601, 601])

    def once(_path: str, query: dict[str, str]) -> Json:
        return {
            "total_items": next(totals),
            "total_pages": 2,
            "transaction_details": [{"transaction_info": row(at=NOW - 60)}],
        }

    assert len(list(statement(once, NOW - DAY, NOW + 1, NOW))) == 2
    endless = iter(range(10**6))

    def never(_path: str, query: dict[str, str]) -> Json:
        return {"total_items": next(endless), "total_pages": 2}

    raised(Unavailable, lambda: list(statement(never, NOW - DAY, NOW + 1, NOW)))


def refusing(error: Exception) -> Callable[[str, dict[str, str]], Json]:
    def ask(_path: str, _query: dict[str, str]) -> Json:
        raise error

    return ask


def test_b26_what_began_after_the_last_refresh_is_empty() -> None:
    """B26: a window inside the lag is refused by PayPal and holds nothing yet; any other refusal is one."""
    late = refusing(Refused("PayPal refused: Data for the given start date is not available.", code="INVALID_REQUEST"))
    assert list(statement(late, NOW - LAG_SECONDS, NOW + DAY, NOW)) == []
    raised(Refused, lambda: list(statement(late, NOW - LAG_SECONDS - 1, NOW + DAY, NOW)))
    other = refusing(Refused("PayPal refused: page_size is too large.", code="INVALID_PARAMETER_VALUE"))
    raised(Refused, lambda: list(statement(other, NOW - 60, NOW, NOW)))
    keys = refusing(NotAllowed("PayPal does not accept our credentials"))
    raised(NotAllowed, lambda: list(statement(keys, NOW - 60, NOW, NOW)))


def test_what_lies_ahead_or_too_far_back_is_not_asked_for() -> None:
    """Three years back at most, and nothing of tomorrow."""
    bank = Bank([])
    assert list(statement(bank.ask, 0, NOW + 10 * DAY, NOW)) == []
    assert bank.windows[0][0] == NOW - 3 * 365 * DAY
    assert bank.windows[-1][1] == NOW
    assert len(bank.windows) == 36
    assert list(statement(bank.ask, NOW + 1, NOW + DAY, NOW)) == []
    assert len(bank.windows) == 36


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"total_items": "1", "total_pages": 1},
        {"total_items": 1, "total_pages": None},
    ],
    ids=str,
)
def test_an_answer_of_another_shape_is_no_statement(answer: Json) -> None:
    """What something between us and PayPal answers proves no absence."""
    raised(Unavailable, lambda: list(statement(lambda *_: answer, NOW - DAY, NOW, NOW)))


@pytest.mark.parametrize("detail", [{}, None, {"transaction_info": 1}], ids=str)
def test_a_row_of_another_shape_is_named_and_stops_no_other(detail: Json | None) -> None:
    """It has no id, so it may be any of those that are missed."""
    whole = {"transaction_info": row(at=NOW - 60)}
    answer = {"total_items": 2, "total_pages": 1, "transaction_details": [detail, whole]}
    odd, *rest = statement(lambda *_: answer, NOW - DAY, NOW, NOW)
    assert isinstance(odd, UnreadableRecord)
    assert (odd.vendor, odd.id) == ("paypal", "")
    assert [one.key for one in rest if isinstance(one, Movement)] == [CAPTURE]


def test_the_balance_is_by_currency() -> None:
    """The total of each, available or withheld; without a list there is no balance."""
    held = [{"total_balance": usd("57.42")}, {"total_balance": {"currency_code": "JPY", "value": "5000"}}]
    assert balance(lambda *_: {"balances": held}) == {"USD": Money(5742, "USD"), "JPY": Money(5000, "JPY")}
    raised(Unavailable, lambda: balance(lambda *_: {}))
    odd = {"currency": "JPY", "total_balance": {"currency_code": "JPY", "value": "12.50"}}
    found = balance(lambda *_: {"balances": [held[0], odd]})
    assert (found["USD"], isinstance(found["JPY"], UnreadableRecord)) == (Money(5742, "USD"), True)


def test_reports_that_are_not_allowed_name_what_to_turn_on(stage: PayPalStage) -> None:
    """The keys are right, the app lacks a permission: the hint names it. Wrong keys are another matter."""
    with StandIn() as vendor:
        vendor.answer("/v1/oauth2/token", {"access_token": "t", "token_type": "Bearer", "expires_in": 32400})
        denied = {"name": "NOT_AUTHORIZED", "details": [{"issue": "PERMISSION_DENIED"}]}
        vendor.answer("/v1/reporting/balances", denied, 403)
        vendor.answer("/v1/reporting/transactions", denied, 403)
        provider = stage.provider(paypal_api_base=vendor.url)
        for call in (provider.account, provider.balance, lambda: list(provider.statement(NOW - DAY, NOW))):
            assert "Transaction Search" in raised(NotAllowed, call).hint
    wrong = stage.provider(paypal_client_secret="wrong")
    assert "check_setup.py" in raised(NotAllowed, wrong.account).hint


# -- at the simulated PayPal -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PayPalStage]:
    """One simulator for this file."""
    with set_stage("paypal", tmp_path_factory.mktemp("home")) as stage:
        yield stage


def test_b26_a_sale_is_on_the_statement_after_the_lag_and_not_before(stage: PayPalStage) -> None:
    """B26: the whole time is proven: rows up to the last refresh, and the balance of the same moment."""
    stage.calm()
    payment = stage.paid(Money(12345, "EUR")).payment
    for seconds, known in ((60, False), (LAG_SECONDS, True)):
        stage.later(seconds)
        now = stage.clock.now()
        rows = [one for one in stage.usual.statement(now - DAY, now + DAY) if one.payment == payment]
        assert sorted(one.minor for one in rows) == ([480, 12345] if known else [])
        assert stage.usual.balance().get("EUR", Money(0, "EUR")) == Money(11865 if known else 0, "EUR")


def test_c14_c18_pending_and_ended_money_is_on_the_statement_once_it_moved(stage: PayPalStage) -> None:
    """C14, C18: a capture under review and a refund under way are nothing; a whole refund leaves the fee."""
    stage.calm()
    stage.captures_start_as("PENDING")
    waiting = stage.paid().id
    stage.captures_start_as("COMPLETED")
    refunded = stage.paid().payment
    stage.refund_in_dashboard(refunded, 6000)
    stage.later(LAG_SECONDS)
    now = stage.clock.now()
    rows: list[Movement] = list(stage.usual.statement(now - DAY, now))
    assert [one for one in rows if one.payment == waiting] == []
    facts = {fact.key for fact in stage.usual.read(refunded).facts}
    assert clearing_minor([one for one in rows if one.key in facts]) == -258
    assert len([one for one in rows if one.key in facts]) == 3
