mock_provider "azurerm" {}

variables {
  resource_group_name = "rg-acme-payments-dev-weu"
  location            = "westeurope"
  tags                = { environment = "dev" }
  names               = { function_app = "func-acme-payments-dev-weu", service_plan = "asp-acme-payments-dev-weu" }

  subnet_id        = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/functions"
  runner_subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/runners"

  identity = {
    id        = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/functions"
    client_id = "00000000-0000-0000-0000-00000000000a"
    name      = "functions"
  }
  slot_identity = {
    id        = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/slot"
    client_id = "00000000-0000-0000-0000-00000000000b"
    name      = "slot"
  }

  host_storage_name     = "stacmepaymentsdevweuh"
  package_container_uri = "https://stacmepaymentsdevweup.blob.core.windows.net/deployment"
  key_vault_uri         = "https://kv-acmepaymentsdevweu.vault.azure.net/"
  rules_storage         = { blob_uri = "https://stacmepaymentsdevweur.blob.core.windows.net/", queue_uri = "https://stacmepaymentsdevweur.queue.core.windows.net/", container = "compliance-rules" }
  event_hubs            = { host_name = "evhns.servicebus.windows.net", hub = "payments", smoke_hub = "payments-smoke", consumer_group = "metrics" }
  database              = { host = "psql.postgres.database.azure.com", port = 6432, name = "payments", smoke_name = "payments_smoke" }
  telemetry             = { connection_string = "InstrumentationKey=00000000-0000-0000-0000-00000000000c", smoke_connection_string = "InstrumentationKey=00000000-0000-0000-0000-00000000000d" }
  pipeline              = { retention_days = 30, allowed_lateness_minutes = 15, fold_interval_milliseconds = 1000, database_pool_size = 2, database_statement_timeout_seconds = 60 }

  log_analytics_workspace_id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/log"
}

run "elastic_premium_has_a_slot_for_rollback" {
  command = plan

  variables {
    plan = "elastic_premium"
  }

  assert {
    condition     = output.slot_name == "staging" && length(azurerm_function_app_flex_consumption.this) == 0
    error_message = "expected an app with the slot staging"
  }

  assert {
    condition     = azurerm_linux_function_app.this[0].site_config[0].application_stack[0].python_version == "3.13"
    error_message = "the code needs Python 3.13"
  }
}

run "the_slot_touches_no_data_of_production" {
  command = plan

  variables {
    plan = "elastic_premium"
  }

  assert {
    condition     = azurerm_linux_function_app_slot.staging[0].app_settings["EVENT_HUB_NAME"] == "payments-smoke"
    error_message = "the slot reads the hub of production"
  }

  assert {
    condition     = azurerm_linux_function_app_slot.staging[0].app_settings["DATABASE_NAME"] == "payments_smoke" && azurerm_linux_function_app_slot.staging[0].app_settings["DATABASE_USER"] == "slot"
    error_message = "the slot writes to the database of production, or as its identity"
  }

  assert {
    condition     = alltrue([for name in ["AggregateMetrics", "ReloadRules"] : azurerm_linux_function_app_slot.staging[0].app_settings["AzureWebJobs.${name}.Disabled"] == "true"])
    error_message = "the slot closes windows or activates rules"
  }
}

run "a_swap_moves_the_package_and_no_setting" {
  command = plan

  variables {
    plan = "elastic_premium"
  }

  assert {
    condition = toset(azurerm_linux_function_app.this[0].sticky_settings[0].app_setting_names) == setunion(
      ["APPLICATIONINSIGHTS_CONNECTION_STRING"],
      [
        for name in setunion(keys(azurerm_linux_function_app.this[0].app_settings), keys(azurerm_linux_function_app_slot.staging[0].app_settings)) : name
        if lookup(azurerm_linux_function_app.this[0].app_settings, name, "") != lookup(azurerm_linux_function_app_slot.staging[0].app_settings, name, "")
      ],
    )
    error_message = "what differs between app and slot is not what stays in its place"
  }
}

run "flex_consumption_has_no_slot" {
  command = plan

  variables {
    plan          = "flex_consumption"
    slot_identity = null
  }

  assert {
    condition     = output.slot_name == null && length(azurerm_linux_function_app.this) == 0
    error_message = "expected an app without a slot"
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.this[0].app_settings["AzureWebJobsStorage__accountName"] == "stacmepaymentsdevweuh"
    error_message = "the host does not find its storage"
  }
}

run "only_event_grid_and_the_runners_get_in" {
  command = plan

  variables {
    plan = "elastic_premium"
  }

  assert {
    condition     = azurerm_linux_function_app.this[0].site_config[0].ip_restriction_default_action == "Deny" && toset(azurerm_linux_function_app.this[0].site_config[0].ip_restriction[*].name) == toset(["event-grid", "runners"])
    error_message = "somebody else gets in"
  }
}

run "a_slot_identity_without_a_slot_is_refused" {
  command = plan

  variables {
    plan = "flex_consumption"
  }

  expect_failures = [var.slot_identity]
}

run "two_zones_need_two_instances" {
  command = plan

  variables {
    plan            = "elastic_premium"
    elastic_premium = { zone_redundant = true }
  }

  expect_failures = [var.elastic_premium]
}
