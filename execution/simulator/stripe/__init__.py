"""The simulated Stripe: its API, its pay pages and its webhooks, over one Account."""
