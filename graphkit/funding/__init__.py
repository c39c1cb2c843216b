"""Who funds whom, how concentrated the money is, and where it goes: tables that say how they were worked out."""

from __future__ import annotations

from graphkit.funding.accounts import ACCOUNTS, Account, account, load_flows
from graphkit.funding.currency import Conversion, in_one_currency, load_rates, read_deflator
from graphkit.funding.structural import STRUCTURAL, structural

__all__ = [
    "ACCOUNTS",
    "STRUCTURAL",
    "Account",
    "Conversion",
    "account",
    "in_one_currency",
    "load_flows",
    "load_rates",
    "read_deflator",
    "structural",
]
