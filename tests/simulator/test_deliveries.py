"""The webhooks of the simulated Stripe: signed, retried, held back, lost and sent again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import stripe

from helpers.vendors.simulated_stripe import client, control, wait_until
from helpers.vendors.stand_in import Asked, StandIn
from simulator.server import Simulator

HOOK = "/webhooks/stripe"


@pytest.fixture
def receiver(simulator: Simulator) -> Iterator[StandIn]:
    """An endpoint that gets the events of a world without objects."""
    with StandIn() as standing:
        control(simulator, "reset", {})
        control(simulator, "deliveries", {"to": standing.url})
        yield standing
        control(simulator, "reset", {})
        control(simulator, "deliveries", {"to": ""})


def signed_by(simulator: Simulator, asked: Asked) -> stripe.Event:
    """The event of a delivery, verified by the SDK's own code. The tolerance is for a simulated clock."""
    secret = str(simulator.world.accounts["stripe_webhook_secret"])
    signature = asked.headers["stripe-signature"]
    event: stripe.Event = stripe.Webhook.construct_event(asked.body, signature, secret, tolerance=10**9)
    return event


def delivered(simulator: Simulator) -> int:
    """How many events have reached their endpoint."""
    return int(control(simulator, "deliveries", {})["delivered"])


def wait_for_attempts(simulator: Simulator, number: int) -> None:
    """Return when the one delivery there is was tried this often."""
    wait_until(lambda: [row["attempts"] for row in simulator.world.all("stripe.delivery")] == [number])


def test_an_event_arrives_signed(simulator: Simulator, receiver: StandIn) -> None:
    """The body is the event as the API shows it, and the SDK accepts its signature."""
    receiver.answer(HOOK, {})
    made = client(simulator).v1.customers.create({"name": "Zoë"})
    wait_until(lambda: delivered(simulator) == 1)
    asked = receiver.asked[0]
    event = signed_by(simulator, asked)
    assert (asked.method, asked.path) == ("POST", HOOK)
    assert asked.headers["content-type"] == "application/json; charset=utf-8"
    assert (event.type, event.data.object["id"], event.pending_webhooks) == ("customer.created", made.id, 1)
    assert client(simulator).v1.events.retrieve(event.id).pending_webhooks == 0


def test_an_address_with_a_path_is_used_as_it_is(simulator: Simulator, receiver: StandIn) -> None:
    """A base address gets the receiver's path. Any other address is left alone."""
    receiver.answer("/my/hook", {})
    assert control(simulator, "deliveries", {"to": receiver.url + "/my/hook"})["to"] == receiver.url + "/my/hook"
    client(simulator).v1.customers.create({})
    wait_until(lambda: delivered(simulator) == 1)
    assert [asked.path for asked in receiver.asked] == ["/my/hook"]


def test_a_failed_delivery_is_tried_again_later(simulator: Simulator, receiver: StandIn) -> None:
    """Five seconds later, then ten, each time with a fresh signature over the same body. A redirect is a failure."""
    receiver.answer(HOOK, {}, 503)
    receiver.answer(HOOK, {}, 302, Location=receiver.url + "/elsewhere")
    receiver.answer(HOOK, {}, 200)
    client(simulator).v1.customers.create({})
    for tries, pause in ((1, 5), (2, 10)):
        wait_for_attempts(simulator, tries)
        assert len(receiver.asked) == tries
        assert client(simulator).v1.events.list({"delivery_success": False}).data[0].pending_webhooks == 1
        control(simulator, "clock", {"advance_seconds": pause})
    wait_until(lambda: delivered(simulator) == 1)
    assert [asked.path for asked in receiver.asked] == [HOOK] * 3
    assert len({asked.body for asked in receiver.asked}) == 1
    assert len({asked.headers["stripe-signature"] for asked in receiver.asked}) == 3
    assert len(client(simulator).v1.events.list({"delivery_success": True}).data) == 1


def test_b20_after_three_days_stripe_gives_up(simulator: Simulator, receiver: StandIn) -> None:
    """An event that was never taken is listed as not delivered, and comes again only when it is asked for."""
    receiver.answer(HOOK, {}, 500)
    client(simulator).v1.customers.create({})
    wait_for_attempts(simulator, 1)
    control(simulator, "clock", {"advance_seconds": 4 * 86_400})
    wait_until(lambda: control(simulator, "deliveries", {})["given_up"] == 1)
    lost = client(simulator).v1.events.list({"delivery_success": False}).data
    assert [event.type for event in lost] == ["customer.created"]
    assert len(receiver.asked) == 1


def test_held_deliveries_arrive_when_they_are_let_go(simulator: Simulator, receiver: StandIn) -> None:
    """Paused deliveries wait. Single events can be let through before the others, in any order."""
    receiver.answer(HOOK, {})
    control(simulator, "deliveries", {"paused": True})
    for name in ("first", "second"):
        client(simulator).v1.customers.create({"name": name})
    second = client(simulator).v1.events.list().data[0]
    assert control(simulator, "deliver", {"event_id": second.id, "times": 2}) == {"statuses": [200, 200]}
    assert control(simulator, "deliveries", {"paused": False})["paused"] is False
    wait_until(lambda: delivered(simulator) == 2)
    names = [json.loads(asked.body)["data"]["object"]["name"] for asked in receiver.asked]
    assert names == ["second", "second", "first"]


def test_discarded_deliveries_are_lost(simulator: Simulator, receiver: StandIn) -> None:
    """A lost webhook is still in the list of events, as not delivered."""
    receiver.answer(HOOK, {})
    control(simulator, "deliveries", {"paused": True})
    client(simulator).v1.customers.create({})
    assert control(simulator, "deliveries", {"discard": True, "paused": False})["discarded"] == 1
    assert receiver.asked == []
    assert len(client(simulator).v1.events.list({"delivery_success": False}).data) == 1


def test_a_receiver_that_is_not_there_is_tried_again(simulator: Simulator, receiver: StandIn) -> None:
    """A refused connection counts as a failed attempt."""
    with StandIn() as gone:
        address = gone.url
    control(simulator, "deliveries", {"to": address})
    client(simulator).v1.customers.create({})
    wait_for_attempts(simulator, 1)
    receiver.answer(HOOK, {})
    control(simulator, "deliveries", {"to": receiver.url})
    control(simulator, "clock", {"advance_seconds": 5})
    wait_until(lambda: delivered(simulator) == 1)


def test_a_restart_forgets_no_delivery(tmp_path: Path) -> None:
    """What was waiting when the simulator stopped is delivered after its next start."""
    with StandIn() as standing:
        standing.answer(HOOK, {})
        with Simulator(tmp_path, deliver_to=standing.url) as first:
            control(first, "deliveries", {"paused": True})
            client(first).v1.customers.create({})
        with Simulator(tmp_path, deliver_to=standing.url) as second:
            wait_until(lambda: delivered(second) == 1)
        assert len(standing.asked) == 1


def test_without_an_address_nothing_is_pending(simulator: Simulator) -> None:
    """An account without an endpoint has no deliveries, and redelivering says why it cannot."""
    control(simulator, "reset", {})
    client(simulator).v1.customers.create({})
    event = client(simulator).v1.events.list().data[0]
    assert event.pending_webhooks == 0
    assert "address" in control(simulator, "deliver", {"event_id": event.id}, status=400)["error"]
