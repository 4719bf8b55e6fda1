locals {
  # Transaction mode is Azure's default, for which the code is written: no session state. Instances x
  # processes x pool size is more than a server holds well (docs/scaling.md).
  pgbouncer_parameters = {
    "pgbouncer.default_pool_size" = "50"
    "pgbouncer.max_client_conn"   = "2000"
  }

  parameters = merge({
    "require_secure_transport" = "on"
    "ssl_min_protocol_version" = "TLSv1.2"

    # What the runbook looks at: who waits for whom, what was slow, what changed the schema.
    "log_checkpoints"            = "on"
    "log_connections"            = "on"
    "log_disconnections"         = "on"
    "log_lock_waits"             = "on"
    "log_min_duration_statement" = "5000"
    "log_statement"              = "ddl"
    "track_io_timing"            = "on"

    # Folding deletes what it folded: dead rows are bounded by how often autovacuum wakes (ADR 17).
    "autovacuum_naptime" = "15"
    "wal_compression"    = "on"

    "metrics.collector_database_activity" = "on"
    "metrics.pgbouncer_diagnostics"       = "on"
  }, var.parameters)
}

resource "azurerm_postgresql_flexible_server" "this" {
  name                          = var.name
  resource_group_name           = var.resource_group_name
  location                      = var.location
  version                       = var.postgresql_version
  sku_name                      = var.sku
  storage_mb                    = var.storage_mb
  auto_grow_enabled             = true
  zone                          = var.zone
  delegated_subnet_id           = var.subnet_id
  private_dns_zone_id           = var.private_zone_id
  public_network_access_enabled = false
  backup_retention_days         = var.backup_retention_days
  geo_redundant_backup_enabled  = var.geo_redundant_backup
  tags                          = var.tags

  authentication {
    active_directory_auth_enabled = true
    password_auth_enabled         = false
    tenant_id                     = var.tenant_id
  }

  dynamic "high_availability" {
    for_each = var.high_availability[*]

    content {
      mode                      = high_availability.value
      standby_availability_zone = var.standby_zone
    }
  }

  # Sunday night: payments are fewest, and a failover delays them by a minute or so.
  maintenance_window {
    day_of_week  = 0
    start_hour   = 2
    start_minute = 0
  }

  # A failover swaps the zones, and the disk grows by itself: neither is to be undone by an apply.
  # prevent_destroy takes no variable, so that it holds in every environment.
  lifecycle {
    prevent_destroy = true
    ignore_changes  = [zone, high_availability[0].standby_availability_zone, storage_mb]
  }
}

resource "azurerm_postgresql_flexible_server_active_directory_administrator" "this" {
  for_each = var.administrators

  server_name         = azurerm_postgresql_flexible_server.this.name
  resource_group_name = var.resource_group_name
  tenant_id           = var.tenant_id
  object_id           = each.value.object_id
  principal_name      = each.value.name
  principal_type      = each.value.type
}

resource "azurerm_postgresql_flexible_server_database" "this" {
  for_each = var.databases

  name      = each.key
  server_id = azurerm_postgresql_flexible_server.this.id
  charset   = "UTF8"
  collation = "en_US.utf8"

  lifecycle {
    prevent_destroy = true
  }
}

resource "azurerm_postgresql_flexible_server_configuration" "this" {
  for_each = local.parameters

  name      = each.key
  server_id = azurerm_postgresql_flexible_server.this.id
  value     = each.value
}

resource "azurerm_postgresql_flexible_server_configuration" "pgbouncer_enabled" {
  name      = "pgbouncer.enabled"
  server_id = azurerm_postgresql_flexible_server.this.id
  value     = "true"
}

# The server knows these only once PgBouncer runs.
resource "azurerm_postgresql_flexible_server_configuration" "pgbouncer" {
  for_each = local.pgbouncer_parameters

  name      = each.key
  server_id = azurerm_postgresql_flexible_server.this.id
  value     = each.value

  depends_on = [azurerm_postgresql_flexible_server_configuration.pgbouncer_enabled]
}

resource "azurerm_monitor_diagnostic_setting" "this" {
  name                       = "log-analytics"
  target_resource_id         = azurerm_postgresql_flexible_server.this.id
  log_analytics_workspace_id = var.log_analytics_workspace_id

  enabled_log {
    category_group = "allLogs"
  }

  enabled_metric {
    category = "AllMetrics"
  }
}

resource "azurerm_management_lock" "this" {
  count = var.deletion_lock ? 1 : 0

  name       = "keep"
  scope      = azurerm_postgresql_flexible_server.this.id
  lock_level = "CanNotDelete"
  notes      = "Holds every payment; a deleted server takes its backups with it after a few days."
}
