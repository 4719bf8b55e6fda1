organization = "acme"
environment  = "production"
location     = "westeurope"
owner        = "payments-platform@example.com"
cost_center  = "cc-payments"

github = {
  repository = "acme/payment-metrics"
  # gh api graphql -f query='{organization(login: "acme") {databaseId}}'
  database_id = "1234567"
}

operators = {
  object_id = "00000000-0000-0000-0000-000000000000"
  name      = "payments-operators"
}

address_space = "10.42.0.0/22"

# Slots: a bad release is swapped back within seconds, and its package is still warm.
plan = "elastic_premium"

# docs/scaling.md: at 10,000 payments a second one instance is busy. Two, in two zones, so that one may
# fail; up to one for each partition, beyond which they would be idle.
elastic_premium = {
  sku               = "EP1"
  minimum_instances = 2
  maximum_instances = 32
  zone_redundant    = true
}

event_hub = {
  # docs/scaling.md: 6 units at 10,000 payments a second, packed by 50. Two carry a third of it, and the
  # namespace inflates by itself.
  throughput_units         = 2
  maximum_throughput_units = 10
  # The most that a Standard namespace takes, and they cannot be added later.
  partitions = 32
  # The most that a Standard namespace keeps: as long as an outage may last before payments are lost.
  retention_days = 7
  # Captured files would be a third place that holds messages as they came, card numbers included
  # (docs/security.md): a decision of who answers for those, not a default.
  captured = false
}

database = {
  # docs/scaling.md: one core is busy at 10,000 payments a second; four leave room for closing windows
  # and for who reads.
  sku = "GP_Standard_D4ds_v5"
  # 1 TiB: half of it is 30 days at 250 payments a second (docs/scaling.md: 803 bytes each); 5,000 IOPS
  # come with it. It grows by itself at need, and never shrinks.
  storage_mb        = 1048576
  zone              = "1"
  high_availability = "ZoneRedundant"
  standby_zone      = "2"
  # The most there is: a mistake may be found weeks later.
  backup_retention_days = 35
  geo_redundant_backup  = true

  parameters = {
    # A checkpoint at every gigabyte writes each page of the day's indexes in full again and again.
    "max_wal_size" = "16384"
  }
}

storage = {
  # Rules and their archive outlive the region; the database has its backup there, too.
  replication      = "GZRS"
  soft_delete_days = 90
}

pipeline = {
  # A month of payments, so that month-end can be judged again under new rules.
  retention_days = 30
}

monitoring = {
  # A quarter, so that this quarter's incident can be compared with the last.
  retention_days = 90
  # No quota: alerts read these logs.
  daily_quota_gb = -1
  mail_addresses = { on-call = "payments-on-call@example.com" }

  thresholds = {
    # A window is final 15 minutes after its end: five minutes of lag leave time to act.
    lag_seconds = 300
  }
}

deletion_lock = true
