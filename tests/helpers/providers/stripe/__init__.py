"""Stripe on its stage."""
