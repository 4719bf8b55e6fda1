data "azurerm_client_config" "current" {}

locals {
  names      = module.naming.names
  tags       = module.naming.tags
  is_premium = var.plan == "elastic_premium"
  identities = module.identity.identities

  hub               = "payments"
  smoke_hub         = "payments-smoke"
  consumer_group    = "metrics"
  database          = "payments"
  smoke_database    = "payments_smoke"
  rules_container   = "compliance-rules"
  package_container = "deployment"
  capture_container = "capture"
  # The Event Hubs trigger keeps its checkpoints in a container of this name and no other.
  checkpoint_container = "azure-webjobs-eventhub"

  # A run of the repository's workflows in this environment, which GitHub lets begin only after whoever
  # has to approve it has done so.
  workflow_subject = "repo:${var.github.repository}:environment:${var.environment}"
}

module "naming" {
  source = "../naming"

  organization = var.organization
  workload     = var.workload
  environment  = var.environment
  location     = var.location
  owner        = var.owner
  cost_center  = var.cost_center
}

resource "azurerm_resource_group" "this" {
  name     = local.names.resource_group
  location = var.location
  tags     = local.tags
}

module "network" {
  source = "../network"

  resource_group_name = azurerm_resource_group.this.name
  location            = var.location
  tags                = local.tags
  names               = local.names
  address_space       = var.address_space
  plan                = var.plan
  github_database_id  = var.github.database_id
}

module "identity" {
  source = "../identity"

  resource_group_name = azurerm_resource_group.this.name
  location            = var.location
  tags                = local.tags

  identities = merge(
    {
      functions = { name = local.names.identity_function }
      deployer  = { name = local.names.identity_deployer, federated_subjects = { github = local.workflow_subject } }
      migrator  = { name = local.names.identity_migrator, federated_subjects = { github = local.workflow_subject } }
    },
    local.is_premium ? { slot = { name = local.names.identity_slot } } : {},
  )
}

module "event_hub" {
  source = "../event_hub"

  resource_group_name        = azurerm_resource_group.this.name
  location                   = var.location
  tags                       = local.tags
  name                       = local.names.event_hubs
  throughput_units           = var.event_hub.throughput_units
  maximum_throughput_units   = var.event_hub.maximum_throughput_units
  endpoint_subnet_id         = module.network.subnet_ids["endpoints"]
  private_zone_id            = module.network.private_zone_ids["namespace"]
  log_analytics_workspace_id = module.monitoring.log_analytics_workspace_id

  hubs = {
    (local.hub) = {
      partitions      = var.event_hub.partitions
      retention_days  = var.event_hub.retention_days
      consumer_groups = [local.consumer_group]
      captured        = var.event_hub.captured
    }
    # One synthetic payment a deployment.
    (local.smoke_hub) = {
      partitions      = 1
      retention_days  = 1
      consumer_groups = [local.consumer_group]
    }
  }

  capture = var.event_hub.captured ? {
    storage_account_id = module.capture_storage[0].id
    container          = local.capture_container
  } : null
}

module "key_vault" {
  source = "../key_vault"

  resource_group_name        = azurerm_resource_group.this.name
  location                   = var.location
  tags                       = local.tags
  name                       = local.names.key_vault
  tenant_id                  = data.azurerm_client_config.current.tenant_id
  endpoint_subnet_id         = module.network.subnet_ids["endpoints"]
  private_zone_id            = module.network.private_zone_ids["vault"]
  log_analytics_workspace_id = module.monitoring.log_analytics_workspace_id
}

module "postgresql" {
  source = "../postgresql"

  resource_group_name        = azurerm_resource_group.this.name
  location                   = var.location
  tags                       = local.tags
  name                       = local.names.postgresql
  tenant_id                  = data.azurerm_client_config.current.tenant_id
  sku                        = var.database.sku
  storage_mb                 = var.database.storage_mb
  zone                       = var.database.zone
  high_availability          = var.database.high_availability
  standby_zone               = var.database.standby_zone
  backup_retention_days      = var.database.backup_retention_days
  geo_redundant_backup       = var.database.geo_redundant_backup
  parameters                 = var.database.parameters
  databases                  = [local.database, local.smoke_database]
  subnet_id                  = module.network.subnet_ids["database"]
  private_zone_id            = module.network.private_zone_ids["postgresql"]
  log_analytics_workspace_id = module.monitoring.log_analytics_workspace_id
  deletion_lock              = var.deletion_lock

  # The deployer bootstraps roles, which takes an administrator. Migrations run as the migrator, who is
  # none.
  administrators = {
    operators = { object_id = var.operators.object_id, name = var.operators.name, type = "Group" }
    deployer  = { object_id = local.identities.deployer.principal_id, name = local.identities.deployer.name, type = "ServicePrincipal" }
  }
}

module "function_app" {
  source = "../function_app"

  resource_group_name        = azurerm_resource_group.this.name
  location                   = var.location
  tags                       = local.tags
  names                      = local.names
  plan                       = var.plan
  elastic_premium            = var.elastic_premium
  flex_consumption           = var.flex_consumption
  subnet_id                  = module.network.subnet_ids["functions"]
  runner_subnet_id           = module.network.subnet_ids["runners"]
  allowed_address_ranges     = var.allowed_address_ranges
  identity                   = local.identities.functions
  slot_identity              = local.is_premium ? local.identities.slot : null
  host_storage_name          = module.host_storage.name
  package_container_uri      = "${module.package_storage.blob_uri}${local.package_container}"
  key_vault_uri              = module.key_vault.uri
  pipeline                   = var.pipeline
  log_analytics_workspace_id = module.monitoring.log_analytics_workspace_id

  rules_storage = {
    blob_uri  = module.rules_storage.blob_uri
    queue_uri = module.rules_storage.queue_uri
    container = local.rules_container
  }

  event_hubs = {
    host_name      = module.event_hub.host_name
    hub            = local.hub
    smoke_hub      = local.smoke_hub
    consumer_group = local.consumer_group
  }

  database = {
    host       = module.postgresql.host
    port       = module.postgresql.pooled_port
    name       = local.database
    smoke_name = local.smoke_database
  }

  telemetry = {
    connection_string       = module.monitoring.connection_strings["app"]
    smoke_connection_string = local.is_premium ? module.monitoring.connection_strings["smoke"] : null
  }
}

module "monitoring" {
  source = "../monitoring"

  resource_group_name    = azurerm_resource_group.this.name
  location               = var.location
  tags                   = local.tags
  names                  = local.names
  smoke_insights         = local.is_premium
  retention_days         = var.monitoring.retention_days
  daily_quota_gb         = var.monitoring.daily_quota_gb
  mail_addresses         = var.monitoring.mail_addresses
  thresholds             = var.monitoring.thresholds
  event_hub_namespace_id = module.event_hub.id
  database_id            = module.postgresql.id
}

# The pipeline subscribes the blob trigger to it after a deployment, with a key that only a deployed
# function has. A topic of uploads alone needs no access to the account.
resource "azurerm_eventgrid_system_topic" "rules" {
  name                = local.names.system_topic
  resource_group_name = azurerm_resource_group.this.name
  location            = var.location
  source_resource_id  = module.rules_storage.id
  topic_type          = "Microsoft.Storage.StorageAccounts"
  tags                = local.tags
}
