mock_provider "azurerm" {
  mock_data "azurerm_client_config" {
    defaults = {
      tenant_id = "00000000-0000-0000-0000-000000000002"
    }
  }
}

run "production_has_a_slot_to_swap_back_from" {
  command = plan

  assert {
    condition     = output.slot_name == "staging"
    error_message = "expected a staging slot"
  }
}

run "production_outlives_a_zone_and_a_mistake" {
  command = plan

  assert {
    condition     = var.deletion_lock && var.database.high_availability == "ZoneRedundant" && var.database.backup_retention_days == 35 && var.elastic_premium.zone_redundant
    error_message = "expected locks, a standby and instances in another zone, and the longest backup"
  }
}
