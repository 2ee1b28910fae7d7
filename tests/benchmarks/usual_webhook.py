"""Stripe's webhook as it is usually written: FastAPI, `construct_event`, SQLAlchemy on SQLite, a transaction per event.

`usual_webhook.py PORT DATABASE SECRET`
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import stripe
import uvicorn
from fastapi import FastAPI, Header, HTTPException, Request
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

port, database, secret = sys.argv[1:]
engine = create_engine(f"sqlite:///{database}")
app = FastAPI()


class Base(DeclarativeBase):
    pass


class WebhookEvent(Base):
    __tablename__ = "webhook_events"

    id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    payload: Mapped[bytes]
    received_at: Mapped[datetime]


@app.post("/webhooks/stripe")
async def webhook(request: Request, stripe_signature: Annotated[str, Header()]) -> dict[str, bool]:
    payload = await request.body()
    try:
        event = stripe.Webhook.construct_event(payload, stripe_signature, secret)
    except (ValueError, stripe.SignatureVerificationError) as error:
        raise HTTPException(400, "not signed by Stripe") from error
    with Session(engine) as session:
        if session.get(WebhookEvent, event.id) is None:
            received = datetime.now(UTC)
            session.add(WebhookEvent(id=event.id, type=event.type, payload=payload, received_at=received))
            session.commit()
    return {"received": True}


Base.metadata.create_all(engine)
uvicorn.run(app, port=int(port), http="httptools", loop="uvloop", access_log=False, log_level="warning")
