"""The one clock: the simulator's offset, business dates in every zone, and who may read time at all."""

from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.sale import Shop
from tillbook.kit.clock import LOOK_AGAIN_SECONDS, Clock, business_date, parse_rfc3339, rfc3339

# 2026-11-24T00:30:00Z
HALF_PAST_MIDNIGHT = 1_795_480_200


def test_in_simulator_mode_the_clock_adds_what_the_simulator_wrote(tmp_path: Path) -> None:
    """The offset is read anew after a moment, so a running process sees time pass."""
    file = tmp_path / "clock.json"
    clock = Clock(file)
    assert abs(clock.now() - time.time()) <= 2
    for offset in (86_400, 90 * 86_400):
        file.write_text(json.dumps({"offset_seconds": offset}))
        time.sleep(2 * LOOK_AGAIN_SECONDS)
        assert abs(clock.now() - offset - time.time()) <= 2


def test_outside_simulator_mode_there_is_no_offset() -> None:
    """Without a file nothing moves the clock."""
    assert abs(Clock().now() - time.time()) <= 2


def test_the_simulated_world_and_every_step_agree_on_the_time(shop: Shop) -> None:
    """A week later in the world is a week later at the till."""
    before = shop.till.clock.now()
    shop.later(7 * 86_400)
    assert 7 * 86_400 <= shop.till.clock.now() - before <= 7 * 86_400 + 60
    assert abs(shop.till.clock.now() - shop.simulator.world.now()) <= 2


def test_monotonic_time_only_grows() -> None:
    """Deadlines use it: no offset and no wall clock moves it."""
    clock = Clock()
    first = clock.monotonic()
    assert clock.monotonic() >= first


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("UTC", date(2026, 11, 24)),
        ("America/Chicago", date(2026, 11, 23)),
        ("Pacific/Auckland", date(2026, 11, 24)),
        ("Pacific/Pago_Pago", date(2026, 11, 23)),
        ("Asia/Kathmandu", date(2026, 11, 24)),
    ],
)
def test_f15_one_moment_belongs_to_the_day_of_the_companys_zone(zone: str, day: date) -> None:
    """Half past midnight in UTC is still yesterday evening in Chicago."""
    assert rfc3339(HALF_PAST_MIDNIGHT) == "2026-11-24T00:30:00Z"
    assert business_date(HALF_PAST_MIDNIGHT, zone) == day


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-03-08T04:59:59Z", date(2026, 3, 7)),  # New York is at -05:00 until its clocks go forward
        ("2026-03-08T05:00:00Z", date(2026, 3, 8)),
        ("2026-03-09T03:59:59Z", date(2026, 3, 8)),  # a day of 23 hours
        ("2026-03-09T04:00:00Z", date(2026, 3, 9)),
        ("2026-11-01T03:59:59Z", date(2026, 10, 31)),
        ("2026-11-02T04:59:59Z", date(2026, 11, 1)),  # a day of 25 hours
        ("2026-11-02T05:00:00Z", date(2026, 11, 2)),
    ],
)
def test_f14_days_of_23_and_25_hours_have_their_own_midnights(moment: str, day: date) -> None:
    """Around both changes of the clocks in New York, to the second."""
    assert business_date(parse_rfc3339(moment), "America/New_York") == day


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-23T16:30:00-08:00", HALF_PAST_MIDNIGHT),
        ("2026-11-24T00:30:00.999Z", HALF_PAST_MIDNIGHT),
        ("2026-11-24T06:00:00+05:30", HALF_PAST_MIDNIGHT),
    ],
)
def test_a_time_stamp_of_any_vendor_becomes_utc_seconds(text: str, seconds: int) -> None:
    """With any offset and with fractions, which are cut."""
    assert parse_rfc3339(text) == seconds


@given(st.integers(0, 2**33))
def test_utc_seconds_survive_being_written(seconds: int) -> None:
    """What people read names the second exactly."""
    assert parse_rfc3339(rfc3339(seconds)) == seconds


@given(st.integers(0, 2**32), st.sampled_from(["UTC", "America/New_York", "Europe/Berlin", "Pacific/Apia"]))
def test_a_later_moment_never_has_an_earlier_day(seconds: int, zone: str) -> None:
    """Business dates only grow, across every change of clocks (Apia even skipped a day)."""
    assert business_date(seconds, zone) <= business_date(seconds + 1, zone) <= business_date(seconds + 86_400, zone)
