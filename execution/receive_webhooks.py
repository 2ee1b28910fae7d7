"""The web application: webhooks into the inbox, submitted forms, and the customer's pages of ours."""

from __future__ import annotations

from typing import Annotated

import typer

from tillbook import cli
from tillbook.till import Till
from tillbook.web.mapping import read_product
from tillbook.web.pay_pages import PayPages
from tillbook.web.receiver import BODY_SECONDS, Receiver
from tillbook.web.server import serve


def receive_webhooks(*, till: Till, body_seconds: float = BODY_SECONDS) -> Receiver:
    """The receiver for one process. Raises Refused without a provider, or when one's events cannot be verified."""
    providers = {name: till.provider(name) for name in till.provider_names}
    for provider in providers.values():
        provider.webhook_ready()
    product = read_product(till.settings.home / "form.json")
    pages = PayPages(till, list(providers))
    till.ledger.never_wait()
    return Receiver(till, pages, providers, product, body_seconds=body_seconds)


@cli.command
def app(
    till: Till,
    host: Annotated[str, typer.Option(help="Where to listen; put a TLS proxy in front of a public one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8080,
) -> None:
    """Receive webhooks and forms until stopped. Each is verified, and durable before it is answered."""
    receiver = receive_webhooks(till=till)
    cli.say(f"Listening on http://{host}:{port} (webhooks, forms, pay pages, /healthz). Stop with Ctrl-C.")
    serve(receiver, host, port)


if __name__ == "__main__":
    app()
