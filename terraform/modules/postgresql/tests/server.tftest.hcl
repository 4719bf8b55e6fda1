mock_provider "azurerm" {}

variables {
  resource_group_name        = "rg-acme-payments-dev-weu"
  location                   = "westeurope"
  tags                       = { environment = "dev" }
  name                       = "psql-acme-payments-dev-weu"
  tenant_id                  = "00000000-0000-0000-0000-000000000002"
  administrators             = { operators = { object_id = "00000000-0000-0000-0000-000000000003", name = "payments-operators", type = "Group" } }
  sku                        = "GP_Standard_D2ds_v5"
  storage_mb                 = 65536
  zone                       = "1"
  backup_retention_days      = 7
  geo_redundant_backup       = false
  databases                  = ["payments", "payments_smoke"]
  subnet_id                  = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/database"
  private_zone_id            = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/psql.private.postgres.database.azure.com"
  log_analytics_workspace_id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/log"
  deletion_lock              = false
}

run "nobody_logs_in_by_password_or_from_the_internet" {
  command = plan

  assert {
    condition     = !azurerm_postgresql_flexible_server.this.authentication[0].password_auth_enabled && azurerm_postgresql_flexible_server.this.authentication[0].active_directory_auth_enabled && !azurerm_postgresql_flexible_server.this.public_network_access_enabled
    error_message = "passwords or the Internet get in"
  }
}

run "a_standby_has_another_zone" {
  command = plan

  variables {
    high_availability = "ZoneRedundant"
    standby_zone      = "2"
  }

  assert {
    condition     = azurerm_postgresql_flexible_server.this.high_availability[0].standby_availability_zone == "2"
    error_message = "expected a standby in zone 2"
  }
}

run "a_standby_in_the_same_zone_is_refused" {
  command = plan

  variables {
    high_availability = "ZoneRedundant"
    standby_zone      = "1"
  }

  expect_failures = [var.standby_zone]
}

run "a_burstable_server_is_refused" {
  command = plan

  variables {
    sku = "B_Standard_B1ms"
  }

  expect_failures = [var.sku]
}

run "a_parameter_of_the_environment_wins" {
  command = plan

  variables {
    parameters = { log_min_duration_statement = "1000" }
  }

  assert {
    condition     = azurerm_postgresql_flexible_server_configuration.this["log_min_duration_statement"].value == "1000"
    error_message = "the environment's value was ignored"
  }
}
