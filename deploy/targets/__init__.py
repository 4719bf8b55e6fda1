"""Where a release goes: a function app in Azure, or a folder on this machine."""
