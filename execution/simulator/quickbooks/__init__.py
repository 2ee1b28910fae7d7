"""QuickBooks Online on localhost: OAuth, the accounting API, and a company file with figures to start from."""

from __future__ import annotations

from simulator.quickbooks.limits import set_limits

__all__ = ["set_limits"]
