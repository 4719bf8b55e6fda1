"""Start, await and stop the parts that a function app needs besides its host.

Each part is a context manager of its own: :class:`~local_azure.services.postgresql.PostgreSQL`,
:class:`~local_azure.services.azurite.Azurite`. All of them run as children of a guard process
(:mod:`local_azure.services.guard`), so that none outlives the program that started it.
"""
