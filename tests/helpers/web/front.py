"""A shop with its receiver on the street side: where customers and webhooks come in."""

from __future__ import annotations

from typing import Any

import requests

from helpers.ledgers import rows
from helpers.sale import Shop, control
from helpers.vendors.simulated_stripe import wait_until


class Front:
    """A till with its receiver on the street side: `url` is where customers and webhooks come in."""

    def __init__(self, shop: Shop, url: str) -> None:
        self.shop = shop
        self.url = url

    def link(self, number: str) -> str:
        """The pay link of an invoice, as its mail has it."""
        invoice = self.shop.till.ledger.sales.invoice(number)
        assert invoice is not None
        return f"{self.url}/pay/{invoice.token}"

    def session(self, number: str) -> dict[str, Any]:
        """The newest page of an invoice as the vendor knows it."""
        page = self.shop.till.ledger.sales.checkouts_of_invoice(number)[-1]
        found = self.shop.simulator.world.get("stripe.checkout.session", page.id)
        assert found is not None
        return dict(found)

    def payment(self, number: str) -> str:
        return str(self.session(number)["payment_intent"])

    def heard(self, number: str) -> None:
        """Wait until the vendor has delivered what it owes; the payment's event is in the inbox, by webhook."""
        wait_until(lambda: control(self.shop.simulator, "deliveries", {})["pending"] == 0)
        file, asked = self.shop.till.settings.ledger, "select source, type from inbox where object = ?"
        events = rows(file, asked, self.payment(number))
        assert {source for source, _ in events} == {"webhook"}
        assert "payment_intent.succeeded" in {kind for _, kind in events}

    def mend(self) -> None:
        """The vendors answer again."""
        requests.delete(f"{self.shop.simulator.url}/_control/faults", timeout=10).raise_for_status()

    def finish(self) -> None:
        """What cron does then."""
        for script in ("process_inbox", "post_to_books", "send_messages"):
            assert self.shop.run(script).code == 0
