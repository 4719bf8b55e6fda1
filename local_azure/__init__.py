"""A local stand-in for the parts of Azure that a function app of function.json bindings needs.

It knows nothing of what the app does: it reads ``host.json``, ``function.json`` and the app
settings as Azure's own host does.
"""
