locals {
  storage_common = {
    resource_group_name        = azurerm_resource_group.this.name
    replication                = var.storage.replication
    soft_delete_days           = var.storage.soft_delete_days
    private_zone_ids           = module.network.private_zone_ids
    endpoint_subnet_id         = module.network.subnet_ids["endpoints"]
    log_analytics_workspace_id = module.monitoring.log_analytics_workspace_id
  }
}

# Four accounts, since a right to an account is a right to all that it holds: the host has to own the
# account of its locks and keys, and so must not find the rules there, nor a slot those of production.

# Locks, keys and checkpoints of the Functions host, which rewrites them every few seconds.
module "host_storage" {
  source = "../storage_account"

  resource_group_name        = local.storage_common.resource_group_name
  location                   = var.location
  tags                       = local.tags
  name                       = local.names.storage_host
  replication                = local.storage_common.replication
  soft_delete_days           = local.storage_common.soft_delete_days
  private_zone_ids           = local.storage_common.private_zone_ids
  endpoint_subnet_id         = local.storage_common.endpoint_subnet_id
  log_analytics_workspace_id = local.storage_common.log_analytics_workspace_id
  containers                 = [local.checkpoint_container]
  endpoints                  = ["blob", "queue", "table"]
  versioning                 = false
  deletion_lock              = false
}

# Rule documents: what arrives, what is active, what was accepted.
module "rules_storage" {
  source = "../storage_account"

  resource_group_name        = local.storage_common.resource_group_name
  location                   = var.location
  tags                       = local.tags
  name                       = local.names.storage_rules
  replication                = local.storage_common.replication
  soft_delete_days           = local.storage_common.soft_delete_days
  private_zone_ids           = local.storage_common.private_zone_ids
  endpoint_subnet_id         = local.storage_common.endpoint_subnet_id
  log_analytics_workspace_id = local.storage_common.log_analytics_workspace_id
  containers                 = [local.rules_container]
  endpoints                  = ["blob", "queue"]
  deletion_lock              = var.deletion_lock

  # Accepted documents stay for ever: versions/ is the archive. What was handed in is in it, too.
  expiry_days = {
    "${local.rules_container}/incoming" = 90
    "${local.rules_container}/rejected" = 90
  }
}

# Packages of code, with no secret in them. Elastic Premium fetches its package before it has joined the
# network, so that there the account answers from everywhere, to who has a role; Flex Consumption
# fetches it from within. Nothing expires: the package that runs may be the oldest of all.
module "package_storage" {
  source = "../storage_account"

  resource_group_name        = local.storage_common.resource_group_name
  location                   = var.location
  tags                       = local.tags
  name                       = local.names.storage_packages
  replication                = local.storage_common.replication
  soft_delete_days           = local.storage_common.soft_delete_days
  private_zone_ids           = local.storage_common.private_zone_ids
  endpoint_subnet_id         = local.storage_common.endpoint_subnet_id
  log_analytics_workspace_id = local.storage_common.log_analytics_workspace_id
  containers                 = [local.package_container]
  public_network_access      = local.is_premium
  endpoints                  = local.is_premium ? [] : ["blob"]
  deletion_lock              = false
}

# Messages as they came, which may hold whatever a producer wrote (docs/security.md). Capture signs in by
# key: in this version of the provider it has no identity. Nothing but capture reaches the account.
module "capture_storage" {
  source = "../storage_account"
  count  = var.event_hub.captured ? 1 : 0

  resource_group_name        = local.storage_common.resource_group_name
  location                   = var.location
  tags                       = local.tags
  name                       = local.names.storage_capture
  replication                = local.storage_common.replication
  soft_delete_days           = local.storage_common.soft_delete_days
  private_zone_ids           = local.storage_common.private_zone_ids
  endpoint_subnet_id         = local.storage_common.endpoint_subnet_id
  log_analytics_workspace_id = local.storage_common.log_analytics_workspace_id
  containers                 = [local.capture_container]
  shared_access_keys         = true
  endpoints                  = []
  deletion_lock              = false

  expiry_days = {
    (local.capture_container) = var.event_hub.capture_days
  }
}
