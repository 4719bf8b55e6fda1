"""A local Azure Functions host for Python projects made of function.json folders.

It plays the part of ``func start``: it reads ``host.json``, every ``function.json`` and
``local.settings.json``, drives Microsoft's own worker runtime (``azure-functions-runtime-v1``) in
this process, and fires timers, Event Hubs batches, blobs and HTTP requests at the functions.
"""
