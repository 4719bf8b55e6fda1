"""Checks of the infrastructure and of the workflows that need neither Azure nor a registry."""
