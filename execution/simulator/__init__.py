"""Stripe, PayPal, QuickBooks and a mailbox on localhost, speaking the vendors' wire protocols.

It shares no rule with the rest of Tillbook: nothing here imports a room outside this folder, and no
room outside imports it. Only `execution/run_simulator.py`, `execution/run_demo.py` and the tests start it.
"""
