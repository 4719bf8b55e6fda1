"""Simulated payments: generated reproducibly, published to Event Hubs, accounted for in a ledger.

``simulate`` is pure and yields messages; ``publish`` sends them. What the pipeline has to make of
them stands in the ledger.
"""
