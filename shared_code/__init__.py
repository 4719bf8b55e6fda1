"""The payment metrics product: domain, rules, store and engine."""
