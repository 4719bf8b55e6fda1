resource "azurerm_service_plan" "this" {
  name                         = var.names.service_plan
  resource_group_name          = var.resource_group_name
  location                     = var.location
  os_type                      = "Linux"
  sku_name                     = local.is_premium ? var.elastic_premium.sku : "FC1"
  maximum_elastic_worker_count = local.is_premium ? var.elastic_premium.maximum_instances : null
  worker_count                 = local.is_premium && var.elastic_premium.zone_redundant ? var.elastic_premium.minimum_instances : null
  zone_balancing_enabled       = local.is_premium && var.elastic_premium.zone_redundant
  tags                         = var.tags
}

resource "azurerm_monitor_diagnostic_setting" "this" {
  name                       = "log-analytics"
  target_resource_id         = local.app_id
  log_analytics_workspace_id = var.log_analytics_workspace_id

  # Who deployed and who was refused. What the functions log goes to Application Insights, and would be
  # paid for twice.
  dynamic "enabled_log" {
    for_each = toset(local.is_premium ? ["AppServiceAuditLogs", "AppServiceIPSecAuditLogs"] : [])

    content {
      category = enabled_log.key
    }
  }

  enabled_metric {
    category = "AllMetrics"
  }
}

locals {
  app_id = local.is_premium ? azurerm_linux_function_app.this[0].id : azurerm_function_app_flex_consumption.this[0].id

  # Event Grid delivers the news of an uploaded rules file from the Internet and cannot do otherwise;
  # it shows a key that only the app and the subscription know.
  access_rules = merge(
    {
      event-grid = { priority = 100, service_tag = "AzureEventGrid", address = null, subnet = null }
      runners    = { priority = 110, service_tag = null, address = null, subnet = var.runner_subnet_id }
    },
    {
      for name, range in var.allowed_address_ranges : name => {
        priority    = 200 + 10 * index(keys(var.allowed_address_ranges), name)
        service_tag = null
        address     = range
        subnet      = null
      }
    },
  )
}
