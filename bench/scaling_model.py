"""What a rate of payments needs: a model over measured costs and published limits.

Limits of Azure are those of its public documentation (Event Hubs quotas and throughput units,
PostgreSQL flexible server's compute sizes) and are named here, so that one who knows better changes
one line. Costs are measured by ``bench.scaling`` on the machine that it runs on.
"""

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

RATES: Final = (1_000, 10_000, 100_000, 1_000_000)
PACK: Final = 50
BATCH: Final = 1_000

# Event Hubs, Standard tier: a throughput unit takes 1 MB/s or 1,000 messages/s.
UNIT_BYTES: Final = 1_000_000
UNIT_MESSAGES: Final = 1_000
STANDARD_UNITS: Final = 40
STANDARD_PARTITIONS: Final = 32
PREMIUM_PARTITIONS: Final = 100
DEDICATED_PARTITIONS: Final = 1_024
# PostgreSQL flexible server: the largest general-purpose and memory-optimised sizes.
LARGEST_SERVER_VCORES: Final = 96
SERVER_CONNECTIONS: Final = 5_000
SERVER_DISK_GB: Final = 32_768
SERVER_DISK_MB_S: Final = 900
# Rows are written to the log, by a checkpoint, and read and frozen by vacuum.
WRITES_PER_LOG: Final = 2.5
RETENTION_DAYS: Final = 30
# Elastic Premium scales one app out to so many instances.
MOST_INSTANCES: Final = 100
# No part is planned to be busier than this.
BUSY: Final = 0.6
POOL: Final = 2
SECONDS_A_DAY: Final = 86_400


class Costs(NamedTuple):
    """What one payment costs, measured.

    Attributes:
        client_us: CPU microseconds in the function's process.
        server_us: CPU microseconds in PostgreSQL, folding included.
        log_bytes: of write-ahead log.
        stored_bytes: of tables and indexes.
        message_bytes: of its JSON.
        commit_ms: how long a commit takes, and with it a round trip or two.
    """

    client_us: float
    server_us: float
    log_bytes: float
    stored_bytes: float
    message_bytes: float
    commit_ms: float


class Need(NamedTuple):
    """What a rate needs of each part, and what gives way first."""

    rate: int
    units_packed: int
    units_single: int
    partitions: int
    instances: int
    connections: int
    vcores: int
    log_mb_s: float
    stored_gb_day: float
    bottlenecks: tuple[str, ...]


def need(rate: int, costs: Costs) -> Need:
    """Return what so many payments a second need."""
    bytes_a_second = rate * costs.message_bytes
    packed = max(bytes_a_second / UNIT_BYTES, rate / PACK / UNIT_MESSAGES)
    single = max(bytes_a_second / UNIT_BYTES, rate / UNIT_MESSAGES)
    # One batch of a partition at a time: compute, the server's work and the commit add up.
    seconds = BATCH * (costs.client_us + costs.server_us) / 1e6 + costs.commit_ms / 1e3
    partitions = _up(rate * seconds / BATCH / BUSY)
    instances = min(_up(rate * costs.client_us / 1e6 / BUSY), partitions)
    vcores = _up(rate * costs.server_us / 1e6 / BUSY)
    found = Need(
        rate=rate,
        units_packed=_up(packed),
        units_single=_up(single),
        partitions=partitions,
        instances=instances,
        connections=instances * POOL,
        vcores=vcores,
        log_mb_s=rate * costs.log_bytes / 1e6,
        stored_gb_day=rate * costs.stored_bytes * SECONDS_A_DAY / 1e9,
        bottlenecks=(),
    )
    return found._replace(bottlenecks=tuple(_bottlenecks(found)))


def _up(amount: float) -> int:
    return max(1, math.ceil(amount))


def _bottlenecks(found: Need) -> Iterator[str]:
    yield from _of_the_hub(found)
    if found.instances > MOST_INSTANCES:
        yield "instances of one function app: several apps, each on hubs of its own"
    yield from _of_the_database(found)


def _of_the_hub(found: Need) -> Iterator[str]:
    if found.units_single > STANDARD_UNITS >= found.units_packed:
        yield "single payments per message: pack them"
    if found.units_packed > STANDARD_UNITS:
        yield "Standard tier of Event Hubs: Premium or Dedicated, or several namespaces"
    if found.partitions > DEDICATED_PARTITIONS:
        yield "partitions of one hub: several hubs, larger batches"
    elif found.partitions > PREMIUM_PARTITIONS:
        yield "partitions of Premium: Dedicated"
    elif found.partitions > STANDARD_PARTITIONS:
        yield "partitions of Standard: Premium"


def _of_the_database(found: Need) -> Iterator[str]:
    if found.connections > SERVER_CONNECTIONS:
        yield "connections: PgBouncer in transaction mode"
    if found.vcores > LARGEST_SERVER_VCORES:
        yield "cores of one server: distribute over Citus nodes"
    if found.log_mb_s * WRITES_PER_LOG > SERVER_DISK_MB_S:
        yield "disk throughput of one server: distribute over Citus nodes"
    if found.stored_gb_day * RETENTION_DAYS > SERVER_DISK_GB:
        yield "disk of one server: keep fewer days there, or distribute"
