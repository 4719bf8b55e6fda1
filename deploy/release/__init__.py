"""What is done around a release: proofs, watching, rules, subscriptions."""
