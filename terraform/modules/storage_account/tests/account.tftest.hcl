mock_provider "azurerm" {}

variables {
  resource_group_name        = "rg-acme-payments-dev-weu"
  location                   = "westeurope"
  tags                       = { environment = "dev" }
  name                       = "stacmepaymentsdevweur"
  replication                = "ZRS"
  containers                 = ["compliance-rules"]
  soft_delete_days           = 14
  endpoints                  = ["blob", "queue"]
  private_zone_ids           = { blob = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/privatelink.blob.core.windows.net", queue = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/privatelink.queue.core.windows.net" }
  endpoint_subnet_id         = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/endpoints"
  log_analytics_workspace_id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/log"
  deletion_lock              = true
}

run "keys_and_the_internet_are_refused_unless_asked_for" {
  command = plan

  assert {
    condition     = !azurerm_storage_account.this.shared_access_key_enabled && !azurerm_storage_account.this.public_network_access_enabled && azurerm_storage_account.this.network_rules[0].default_action == "Deny"
    error_message = "the account takes keys, or answers the Internet"
  }
}

run "what_is_deleted_or_overwritten_comes_back" {
  command = plan

  assert {
    condition     = azurerm_storage_account.this.blob_properties[0].versioning_enabled && azurerm_storage_account.this.blob_properties[0].delete_retention_policy[0].days == 14 && azurerm_storage_account.this.blob_properties[0].container_delete_retention_policy[0].days == 14
    error_message = "what is lost is lost"
  }
}

run "a_lock_keeps_it" {
  command = plan

  assert {
    condition     = one(azurerm_management_lock.this[*].lock_level) == "CanNotDelete"
    error_message = "the account can be deleted"
  }
}
