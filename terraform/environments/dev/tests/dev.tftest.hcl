mock_provider "azurerm" {
  mock_data "azurerm_client_config" {
    defaults = {
      tenant_id = "00000000-0000-0000-0000-000000000002"
    }
  }
}

run "dev_is_billed_by_use" {
  command = plan

  assert {
    condition     = output.plan == "flex_consumption" && output.slot_name == null
    error_message = "expected Flex Consumption, which has no slot"
  }
}
