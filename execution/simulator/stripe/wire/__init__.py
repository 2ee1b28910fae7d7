"""How Stripe is spoken to: forms in, lists and errors out, idempotency keys, amounts."""
