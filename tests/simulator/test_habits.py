"""Habits of the real vendors: off at first, taken on by name, and gone with a reset."""

from __future__ import annotations

from pathlib import Path

import stripe

from helpers.vendors.simulated_stripe import control, order
from simulator.rough import habits
from simulator.server import Simulator


def test_a_world_has_no_habit_until_it_takes_some_on(simulator: Simulator) -> None:
    """Those that are named, all without names, and none after a reset."""
    assert not any(habits.has(simulator.world, name) for name in habits.HABITS)
    assert control(simulator, "rough", {"habits": ["minimums"], "seed": 3}) == {"habits": ["minimums"], "seed": 3}
    assert habits.has(simulator.world, "minimums")
    assert not habits.has(simulator.world, "conversion")
    assert control(simulator, "rough", {})["habits"] == list(habits.HABITS)
    control(simulator, "reset", {})
    assert not habits.has(simulator.world, "minimums")


def test_an_unknown_habit_is_refused(simulator: Simulator) -> None:
    """With the names of those that there are."""
    told = control(simulator, "rough", {"habits": ["kindness"]}, status=400)
    assert told["error"].startswith("a habit is one of minimums, ")


def test_a_world_that_was_started_rough_stays_so(tmp_path: Path) -> None:
    """A reset keeps what the command line asked for, and a page of one cent is refused from the first request on."""
    with Simulator(tmp_path / "rough", rough=5) as running:
        control(running, "reset", {})
        assert habits.kept(running.world) == {"habits": list(habits.HABITS), "seed": 5}
        assert _refused(running, 1) == "amount_too_small"
        control(running, "rough", {"habits": []})
        assert _refused(running, 1) == ""


def _refused(running: Simulator, amount: int) -> str:
    """The code of the refusal of a page, or empty."""
    stripe.enable_telemetry = False
    key, place = str(running.world.accounts["stripe_secret_key"]), f"{running.url}/stripe"
    api = stripe.StripeClient(key, base_addresses={"api": place})
    try:
        api.v1.checkout.sessions.create(order(amount))
    except stripe.InvalidRequestError as error:
        return error.code or "refused"
    return ""
