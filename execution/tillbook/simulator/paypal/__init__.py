"""The simulated PayPal: its API, the payer's pages and its webhooks, over one Account."""
