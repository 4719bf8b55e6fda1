organization = "acme"
environment  = "staging"
location     = "westeurope"
owner        = "payments-platform@example.com"
cost_center  = "cc-payments-dev"

github = {
  repository = "acme/payment-metrics"
  # gh api graphql -f query='{organization(login: "acme") {databaseId}}'
  database_id = "1234567"
}

operators = {
  object_id = "00000000-0000-0000-0000-000000000000"
  name      = "payments-operators-staging"
}

address_space = "10.41.0.0/22"

# As in production, so that a release is rehearsed with slots and swap; half of the instances.
plan = "elastic_premium"

elastic_premium = {
  sku               = "EP1"
  minimum_instances = 1
  maximum_instances = 10
}

event_hub = {
  throughput_units         = 1
  maximum_throughput_units = 4
  # As in production: the number of partitions decides how the functions scale.
  partitions     = 32
  retention_days = 3
  # Payments here are simulated. That the files can be read back is tried out with these.
  captured     = true
  capture_days = 7
}

database = {
  sku        = "GP_Standard_D2ds_v5"
  storage_mb = 131072
  zone       = "1"
  # A failover can be rehearsed without paying for a second zone.
  high_availability     = "SameZone"
  backup_retention_days = 7
  geo_redundant_backup  = false
}

storage = {
  replication      = "LRS"
  soft_delete_days = 14
}

pipeline = {
  retention_days = 30
}

monitoring = {
  retention_days = 30
  daily_quota_gb = 5
  mail_addresses = { developers = "payments-dev@example.com" }
}

deletion_lock = false
