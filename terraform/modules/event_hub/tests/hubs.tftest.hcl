mock_provider "azurerm" {}

variables {
  resource_group_name        = "rg-acme-payments-dev-weu"
  location                   = "westeurope"
  tags                       = { environment = "dev" }
  name                       = "evhns-acme-payments-dev-weu"
  throughput_units           = 1
  maximum_throughput_units   = 4
  hubs                       = { payments = { partitions = 32, retention_days = 7, consumer_groups = ["metrics"] } }
  endpoint_subnet_id         = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/endpoints"
  private_zone_id            = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/privatelink.servicebus.windows.net"
  log_analytics_workspace_id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/log"
}

run "keys_and_the_internet_are_refused" {
  command = plan

  assert {
    condition     = !azurerm_eventhub_namespace.this.local_authentication_enabled && !azurerm_eventhub_namespace.this.public_network_access_enabled
    error_message = "the namespace takes keys, or answers the Internet"
  }
}

run "messages_are_kept_as_long_as_asked" {
  command = plan

  assert {
    condition     = azurerm_eventhub.this["payments"].retention_description[0].retention_time_in_hours == 168
    error_message = "expected 168 hours"
  }
}

run "a_captured_hub_needs_a_place_to_write_to" {
  command = plan

  variables {
    hubs = { payments = { partitions = 32, retention_days = 7, consumer_groups = ["metrics"], captured = true } }
  }

  expect_failures = [var.capture]
}

run "more_partitions_than_standard_has_are_refused" {
  command = plan

  variables {
    hubs = { payments = { partitions = 64, retention_days = 7, consumer_groups = ["metrics"] } }
  }

  expect_failures = [var.hubs]
}
