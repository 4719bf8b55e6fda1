mock_provider "azurerm" {
  mock_data "azurerm_client_config" {
    defaults = {
      tenant_id = "00000000-0000-0000-0000-000000000002"
    }
  }
}

run "staging_rehearses_what_production_does" {
  command = plan

  assert {
    condition     = output.plan == "elastic_premium" && output.slot_name == "staging"
    error_message = "expected the plan and the slot of production"
  }
}
