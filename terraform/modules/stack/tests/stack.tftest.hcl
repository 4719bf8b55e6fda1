mock_provider "azurerm" {
  # The provider looks at the form of what it is given, mocked or not.
  mock_data "azurerm_client_config" {
    defaults = {
      tenant_id = "00000000-0000-0000-0000-000000000002"
    }
  }
}

variables {
  organization  = "acme"
  environment   = "staging"
  location      = "westeurope"
  owner         = "payments-platform@example.com"
  cost_center   = "cc-payments"
  address_space = "10.41.0.0/22"
  github        = { repository = "acme/payment-metrics" }
  operators     = { object_id = "00000000-0000-0000-0000-000000000003", name = "payments-operators" }
  plan          = "elastic_premium"
  event_hub     = { throughput_units = 1, maximum_throughput_units = 4, partitions = 32, retention_days = 3, captured = true }
  database      = { sku = "GP_Standard_D2ds_v5", storage_mb = 131072, zone = "1", backup_retention_days = 7, geo_redundant_backup = false }
  storage       = { replication = "LRS", soft_delete_days = 14 }
  monitoring    = { retention_days = 30, daily_quota_gb = 5, mail_addresses = { developers = "payments-dev@example.com" } }
  deletion_lock = false
}

run "with_elastic_premium_the_slot_has_its_own_rights" {
  command = plan

  assert {
    condition     = azurerm_role_assignment.services["slot-rules"].role_definition_name == "Storage Blob Data Reader"
    error_message = "the slot can change rules"
  }

  assert {
    condition     = !contains(keys(azurerm_role_assignment.services), "slot-payments")
    error_message = "the slot can read the payments of production"
  }
}

run "with_flex_consumption_there_is_no_slot_and_the_app_deploys_itself" {
  command = plan

  variables {
    plan = "flex_consumption"
  }

  assert {
    condition     = length([for name in keys(azurerm_role_assignment.services) : name if startswith(name, "slot-")]) == 0
    error_message = "somebody has the rights of a slot"
  }

  assert {
    condition     = azurerm_role_assignment.services["functions-packages"].role_definition_name == "Storage Blob Data Contributor"
    error_message = "Flex Consumption cannot write its package"
  }
}

run "nobody_but_the_named_producers_may_send_payments" {
  command = plan

  variables {
    producers = { checkout = "00000000-0000-0000-0000-000000000004" }
  }

  assert {
    condition     = [for name, assignment in azurerm_role_assignment.services : name if assignment.role_definition_name == "Azure Event Hubs Data Sender"] == ["deployer-smoke-hub", "producer-checkout"]
    error_message = "others may send, or the producer may not"
  }
}

run "the_migrator_has_no_right_in_azure" {
  command = plan

  assert {
    condition     = length([for name in keys(azurerm_role_assignment.services) : name if startswith(name, "migrator-")]) == 0
    error_message = "the migrator's rights are those of its login in the database"
  }
}

run "keeping_payments_shorter_than_messages_is_refused" {
  command = plan

  variables {
    pipeline = { retention_days = 3 }
  }

  expect_failures = [var.pipeline]
}
