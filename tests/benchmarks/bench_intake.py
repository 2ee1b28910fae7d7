"""How many signed events the receiver takes, beside one transaction per event and the webhook as usually written."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from load import Load, replay
from signed_events import write_requests
from stage import HOST, ROOT, Stage

SECONDS = 3
ROUNDS = 5
REQUESTS = 50_000
PAYMENTS = 150
SERVERS = Path(__file__).parent / "bench_servers.py"
USUAL = Path(__file__).parent / "usual_webhook.py"
RECEIVER = ROOT / "execution" / "receive_webhooks.py"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `limit` says what is asked for, empty where nothing is."""

    what: str
    figure: str
    limit: str
    ok: bool


def rows(stage: Stage) -> list[Row]:
    """Alternating runs, medians of pairs."""
    runs = Runs(stage)
    client = runs.of("limit", again=True)
    pairs = [{name: runs.of(name) for name in ("ours", "single", "usual")} for _ in range(ROUNDS)]
    to_single, to_usual = (
        median(pair["ours"].rate / pair[name].rate for pair in pairs) for name in ("single", "usual")
    )
    rates = {name: median(pair[name].rate for pair in pairs) for name in pairs[0]}
    headroom = client.rate / rates["ours"]
    beside = median(runs.while_draining().p99 for _ in range(3))
    return [
        Row("load client alone, requests/s", f"{client.rate:,.0f}", "", True),
        Row("  its headroom over the intake", f"{headroom:.1f} x", ">= 1.2", headroom >= 1.2),
        Row("FastAPI with construct_event, events/s", f"{rates['usual']:,.0f}", "", True),
        Row("one transaction per event, events/s", f"{rates['single']:,.0f}", "", True),
        Row("intake, events/s", f"{rates['ours']:,.0f}", "", True),
        Row("  to FastAPI with construct_event", f"{to_usual:.1f} x", ">= 20", to_usual >= 20),
        Row("  to one transaction per event", f"{to_single:.1f} x", ">= 3", to_single >= 3),
        Row("  p99, ms", f"{median(pair['ours'].p99 for pair in pairs):.0f}", "", True),
        Row("  p99 while process_inbox drains, ms", f"{beside:.0f}", "<= 50", beside <= 50),
    ]


class Runs:
    """Runs of the load client, each against a server of its own and with events that were never sent before."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._series = itertools.count()
        self._file = stage.folder / "requests"

    def of(self, name: str, *, again: bool = False) -> Load:
        """One run against a server by name."""
        with self._stage.serving(*self._command(name)) as port:
            return self._replay(port, again=again)

    def _command(self, name: str) -> tuple[Path, *tuple[str, ...]]:
        """A server's file and arguments; the usual webhook begins with an empty database."""
        if name == "ours":
            return RECEIVER, "--port", "PORT"
        if name == "usual":
            return USUAL, "PORT", str(self._stage.folder / f"usual-{next(self._series)}.db"), self._stage.secret
        return SERVERS, name, "PORT"

    def while_draining(self) -> Load:
        """One run while another process reads payments at the vendor and books them."""
        self._pay()
        self._stage.script("poll_events")
        with self._stage.serving(RECEIVER, "--port", "PORT") as port:
            self._sign()
            draining = self._stage.begin("process_inbox", "--limit", "100000")
            try:
                load = replay(f"http://{HOST}:{port}", self._file, seconds=SECONDS)
                assert draining.poll() is None, "process_inbox was done before the load was"
            finally:
                draining.terminate()
                draining.wait()
        return load

    def _replay(self, port: int, *, again: bool) -> Load:
        self._sign()
        return replay(f"http://{HOST}:{port}", self._file, seconds=SECONDS, again=again)

    def _sign(self) -> None:
        write_requests(self._file, REQUESTS, self._stage.secret, series=f"{next(self._series):04x}")

    def _pay(self) -> None:
        """Payments in the simulated Stripe that the ledger has not heard of."""
        import requests

        url = json.loads((self._stage.home / "simulator" / "addresses.json").read_text())["url"]
        key = json.loads((self._stage.home / "simulator" / "accounts.json").read_text())["stripe_secret_key"]
        price = "line_items[0][price_data]"
        form = {
            "mode": "payment",
            "success_url": "https://shop.example/thanks",
            "line_items[0][quantity]": "1",
            f"{price}[currency]": "usd",
            f"{price}[unit_amount]": "6000",
            f"{price}[product_data][name]": "Consulting",
        }
        with requests.Session() as session:
            for _ in range(PAYMENTS):
                made = session.post(f"{url}/stripe/v1/checkout/sessions", data=form, auth=(key, ""), timeout=10)
                made.raise_for_status()
                paid = session.post(f"{url}/_control/pay", json={"checkout_id": made.json()["id"]}, timeout=10)
                paid.raise_for_status()
