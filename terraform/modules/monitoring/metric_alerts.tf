locals {
  database = "Microsoft.DBforPostgreSQL/flexibleServers"

  metric_alerts = {
    database-cpu = {
      severity    = 2
      description = "The database's processor is busy."
      scope       = var.database_id
      namespace   = local.database
      metric      = "cpu_percent"
      aggregation = "Average"
      operator    = "GreaterThan"
      threshold   = var.thresholds.database_cpu_percent
      window      = "PT15M"
    }

    database-storage = {
      severity    = 1
      description = "The database's disk fills up. At 95 percent Azure makes the server read-only."
      scope       = var.database_id
      namespace   = local.database
      metric      = "storage_percent"
      aggregation = "Average"
      operator    = "GreaterThan"
      threshold   = var.thresholds.database_disk_filled
      window      = "PT15M"
    }

    database-connections = {
      severity    = 2
      description = "More connections than PgBouncer should ever make."
      scope       = var.database_id
      namespace   = local.database
      metric      = "active_connections"
      aggregation = "Average"
      operator    = "GreaterThan"
      threshold   = var.thresholds.database_connections
      window      = "PT5M"
    }

    database-down = {
      severity    = 0
      description = "The database does not answer. Payments wait in Event Hubs."
      scope       = var.database_id
      namespace   = local.database
      metric      = "is_db_alive"
      aggregation = "Maximum"
      operator    = "LessThan"
      threshold   = 1
      window      = "PT5M"
    }

    throttled = {
      severity    = 2
      description = "Event Hubs turns messages away: the namespace has inflated as far as it may."
      scope       = var.event_hub_namespace_id
      namespace   = "Microsoft.EventHub/namespaces"
      metric      = "ThrottledRequests"
      aggregation = "Total"
      operator    = "GreaterThan"
      threshold   = 0
      window      = "PT5M"
    }
  }
}

resource "azurerm_monitor_metric_alert" "this" {
  for_each = local.metric_alerts

  name                = "alert-${each.key}"
  resource_group_name = var.resource_group_name
  scopes              = [each.value.scope]
  severity            = each.value.severity
  description         = each.value.description
  frequency           = "PT1M"
  window_size         = each.value.window
  tags                = var.tags

  criteria {
    metric_namespace = each.value.namespace
    metric_name      = each.value.metric
    aggregation      = each.value.aggregation
    operator         = each.value.operator
    threshold        = each.value.threshold
  }

  action {
    action_group_id = azurerm_monitor_action_group.this.id
  }
}
