"""What every test may ask for."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["delivery_report", "local_services", "store_fixtures", "turns"]

# How long an example takes says how busy the machine is, and nothing about what is tested.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")
