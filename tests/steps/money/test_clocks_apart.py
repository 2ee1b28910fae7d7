"""Our clock is minutes apart from the vendors': no event and no change is lost, and nothing false is said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from helpers.reconciling import create
from helpers.sale import Shop


@pytest.fixture
def apart(shop: Shop) -> Iterator[Callable[[int], object]]:
    """Let our clock go so many seconds ahead of the vendors' (behind them, with a minus)."""
    file = shop.simulator.world.folder / "clock.json"
    shop.later(60)  # so that there is a file
    right = file.read_text()
    yield lambda seconds: file.write_text(json.dumps({"offset_seconds": json.loads(right)["offset_seconds"] + seconds}))
    file.write_text(right)


@pytest.mark.parametrize("seconds", [420, -420])
@pytest.mark.parametrize("provider", ["stripe", "paypal"])
def test_polling_loses_no_event(shop: Shop, apart: Callable[[int], object], provider: str, seconds: int) -> None:
    """Payments before and after a round, both ways apart: each is polled, posted and confirmed."""
    assert shop.run("run_pending").code == 0
    apart(seconds)
    assert shop.run("run_pending").code == 0
    for number in ("INV-1", "INV-2", "INV-3"):
        page = shop.opened_page(number, provider=provider)
        shop.pay(page["checkout_id"])
        assert shop.run("poll_events").json["new"] > 0
        assert shop.run("run_pending").code == 0
        assert shop.run("run_pending").code == 0
    assert len(shop.books("Payment")) == 3
    assert shop.run("poll_events").json["new"] == 0


@pytest.mark.parametrize("seconds", [420, -420])
def test_the_feed_of_quickbooks_loses_no_change(shop: Shop, apart: Callable[[int], object], seconds: int) -> None:
    """What is paid at the counter right after a page was opened closes the page."""
    apart(seconds)
    for number in ("INV-1", "INV-2"):
        page = shop.opened_page(number)
        assert shop.run("run_pending").code == 0
        shop.paid_at_the_counter(number, "60.00")
        assert shop.run("run_pending").code == 0
        stored = shop.till.ledger.sales.checkout(page["checkout_id"])
        assert stored is not None
        assert stored.status == "expired"
    create(shop, "Customer", {"DisplayName": "Somebody else"})
    assert shop.run("run_pending").code == 0
