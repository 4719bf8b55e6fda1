mock_provider "azurerm" {}

variables {
  resource_group_name    = "rg-acme-payments-dev-weu"
  location               = "westeurope"
  tags                   = { environment = "dev" }
  names                  = { action_group = "ag-acme-payments-dev-weu", app_insights = "appi-acme-payments-dev-weu", log_analytics = "log-acme-payments-dev-weu" }
  smoke_insights         = true
  retention_days         = 30
  daily_quota_gb         = 1
  mail_addresses         = { developers = "payments-dev@example.com" }
  event_hub_namespace_id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.EventHub/namespaces/evhns"
  database_id            = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.DBforPostgreSQL/flexibleServers/psql"
}

run "every_trouble_of_the_pipeline_and_the_database_alerts" {
  command = plan

  assert {
    condition     = toset(keys(azurerm_monitor_scheduled_query_rules_alert_v2.functions)) == toset(["drift", "failures", "lag", "partitions-ahead", "refused-rules", "rejected-share", "unclosed-windows"])
    error_message = "found ${jsonencode(keys(azurerm_monitor_scheduled_query_rules_alert_v2.functions))}"
  }

  assert {
    condition     = toset(keys(azurerm_monitor_metric_alert.this)) == toset(["database-connections", "database-cpu", "database-down", "database-storage", "throttled"])
    error_message = "found ${jsonencode(keys(azurerm_monitor_metric_alert.this))}"
  }
}

run "a_smoke_test_is_seen_apart" {
  command = plan

  assert {
    condition     = toset(keys(azurerm_application_insights.this)) == toset(["app", "smoke"])
    error_message = "the slot's telemetry would set off the alerts of production"
  }
}

run "alerts_that_nobody_gets_are_refused" {
  command = plan

  variables {
    mail_addresses = {}
  }

  expect_failures = [var.mail_addresses]
}
