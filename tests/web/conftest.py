"""One browser and one receiver on the street side, for the tests of pages."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from helpers.sale import SCRIPTS, Shop, control
from helpers.vendors.simulated_stripe import wait_until
from helpers.web.browser import Customer, opened_browser
from helpers.web.front import Front
from simulator.server import Simulator, free_port


@pytest.fixture(scope="module")
def customer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Customer]:
    """One browser for this file; skipped where there is none."""
    with opened_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def front(customer: Customer, simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A home and its receiver, a process of its own, for this file; every test has invoices of its own."""
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TILLBOOK_BASE_URL", url)
        environment.setenv("MAIL_OWNER", "owner@harborlane.example")
        with (
            Shop.opened(simulator, tmp_path_factory.mktemp("front") / "home", environment) as shop,
            receiving(shop, url),
        ):
            shop.run("connect_quickbooks")
            yield Front(shop, url)


@contextmanager
def receiving(shop: Shop, url: str) -> Iterator[None]:
    """receive_webhooks.py as on a user's machine, and the vendor's webhooks pointed at it."""
    command = [sys.executable, str(SCRIPTS / "receive_webhooks.py"), "--port", url.rpartition(":")[2]]
    log = shop.home / "receiver.log"
    with log.open("w") as words, subprocess.Popen(command, env={**os.environ}, stdout=words, stderr=words) as process:

        def answers() -> bool:
            assert process.poll() is None, log.read_text()
            try:
                return requests.get(f"{url}/healthz", timeout=20).ok
            except requests.ConnectionError:
                return False

        try:
            wait_until(answers)
            control(shop.simulator, "deliveries", {"to": url})
            yield
        finally:
            control(shop.simulator, "deliveries", {"to": ""})
            process.terminate()
