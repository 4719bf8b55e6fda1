organization = "acme"
environment  = "dev"
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
  name      = "payments-operators-dev"
}

address_space = "10.40.0.0/22"

# Used a few hours a day by a few people: billed by use, and nothing waits for work.
plan = "flex_consumption"

flex_consumption = {
  # pandas and scikit-learn do not fit into 512.
  instance_memory_mb = 2048
  maximum_instances  = 4
}

event_hub = {
  throughput_units         = 1
  maximum_throughput_units = 2
  partitions               = 4
  # Over a weekend.
  retention_days = 3
  captured       = false
}

database = {
  # The smallest that has PgBouncer.
  sku        = "GP_Standard_D2ds_v5"
  storage_mb = 65536
  zone       = "1"
  # What is here is simulated, and can be simulated again.
  backup_retention_days = 7
  geo_redundant_backup  = false
}

storage = {
  replication      = "LRS"
  soft_delete_days = 7
}

pipeline = {
  retention_days = 7
}

monitoring = {
  # Azure's least, which is free.
  retention_days = 30
  # A loop that logs costs a day's quota and no more.
  daily_quota_gb = 1
  mail_addresses = { developers = "payments-dev@example.com" }
}

deletion_lock = false
