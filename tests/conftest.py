"""What every test may ask for."""

pytest_plugins = ["local_services", "store_fixtures"]
