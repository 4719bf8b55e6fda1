# Who may do what in Azure, all of it. What a login may do in the database is said there
# (docs/security.md): none of these roles opens it. The migrator has none.
locals {
  rules_container_id   = module.rules_storage.container_ids[local.rules_container]
  package_container_id = module.package_storage.container_ids[local.package_container]

  role_assignments = merge(
    {
      # The trigger reads partitions and events.
      functions-payments = {
        principal_id = local.identities.functions.principal_id
        role         = "Azure Event Hubs Data Receiver"
        scope        = module.event_hub.hub_ids[local.hub]
      }
      # Locks of the timer, checkpoints, keys; containers it makes itself, hence the account.
      functions-host-blobs = {
        principal_id = local.identities.functions.principal_id
        role         = "Storage Blob Data Owner"
        scope        = module.host_storage.id
      }
      # The blob trigger queues what it has to look at.
      functions-host-queues = {
        principal_id = local.identities.functions.principal_id
        role         = "Storage Queue Data Contributor"
        scope        = module.host_storage.id
      }
      # Diagnostic events of the host.
      functions-host-tables = {
        principal_id = local.identities.functions.principal_id
        role         = "Storage Table Data Contributor"
        scope        = module.host_storage.id
      }
      # The blob trigger leases what it reads, which takes an owner.
      functions-rules = {
        principal_id = local.identities.functions.principal_id
        role         = "Storage Blob Data Owner"
        scope        = local.rules_container_id
      }
      # It makes the queue of poisoned blobs when it first needs it, hence the account.
      functions-rules-queues = {
        principal_id = local.identities.functions.principal_id
        role         = "Storage Queue Data Contributor"
        scope        = module.rules_storage.id
      }
      # Flex Consumption writes where it deploys to.
      functions-packages = {
        principal_id = local.identities.functions.principal_id
        role         = local.is_premium ? "Storage Blob Data Reader" : "Storage Blob Data Contributor"
        scope        = local.package_container_id
      }
      functions-vault = {
        principal_id = local.is_premium ? local.identities.functions.principal_id : module.function_app.vault_reader_principal_id
        role         = "Key Vault Secrets User"
        scope        = module.key_vault.id
      }
      functions-telemetry = {
        principal_id = local.identities.functions.principal_id
        role         = "Monitoring Metrics Publisher"
        scope        = module.monitoring.app_insights_ids["app"]
      }

      # Settings, restarts, swaps, keys of the app and its slot.
      deployer-app = {
        principal_id = local.identities.deployer.principal_id
        role         = "Website Contributor"
        scope        = module.function_app.id
      }
      deployer-packages = {
        principal_id = local.identities.deployer.principal_id
        role         = "Storage Blob Data Contributor"
        scope        = local.package_container_id
      }
      deployer-rules = {
        principal_id = local.identities.deployer.principal_id
        role         = "Storage Blob Data Contributor"
        scope        = local.rules_container_id
      }
      deployer-smoke-hub = {
        principal_id = local.identities.deployer.principal_id
        role         = "Azure Event Hubs Data Sender"
        scope        = module.event_hub.hub_ids[local.smoke_hub]
      }
      # Watches what waits in the hub: where partitions end, and where the checkpoints are.
      deployer-payments = {
        principal_id = local.identities.deployer.principal_id
        role         = "Azure Event Hubs Data Receiver"
        scope        = module.event_hub.hub_ids[local.hub]
      }
      deployer-checkpoints = {
        principal_id = local.identities.deployer.principal_id
        role         = "Storage Blob Data Reader"
        scope        = module.host_storage.container_ids[local.checkpoint_container]
      }
      # Subscribes the blob trigger.
      deployer-topic = {
        principal_id = local.identities.deployer.principal_id
        role         = "EventGrid Contributor"
        scope        = azurerm_eventgrid_system_topic.rules.id
      }
      # Watches failures after a swap.
      deployer-telemetry = {
        principal_id = local.identities.deployer.principal_id
        role         = "Monitoring Reader"
        scope        = module.monitoring.app_insights_ids["app"]
      }
      deployer-logs = {
        principal_id = local.identities.deployer.principal_id
        role         = "Log Analytics Reader"
        scope        = module.monitoring.log_analytics_workspace_id
      }
      # Notes to which moments the server can be restored.
      deployer-database = {
        principal_id = local.identities.deployer.principal_id
        role         = "Reader"
        scope        = module.postgresql.id
      }
    },

    local.is_premium ? {
      slot-smoke-hub = {
        principal_id = local.identities.slot.principal_id
        role         = "Azure Event Hubs Data Receiver"
        scope        = module.event_hub.hub_ids[local.smoke_hub]
      }
      slot-host-blobs = {
        principal_id = local.identities.slot.principal_id
        role         = "Storage Blob Data Owner"
        scope        = module.host_storage.id
      }
      slot-host-queues = {
        principal_id = local.identities.slot.principal_id
        role         = "Storage Queue Data Contributor"
        scope        = module.host_storage.id
      }
      slot-host-tables = {
        principal_id = local.identities.slot.principal_id
        role         = "Storage Table Data Contributor"
        scope        = module.host_storage.id
      }
      # It judges by the rules in force and changes none.
      slot-rules = {
        principal_id = local.identities.slot.principal_id
        role         = "Storage Blob Data Reader"
        scope        = local.rules_container_id
      }
      slot-packages = {
        principal_id = local.identities.slot.principal_id
        role         = "Storage Blob Data Reader"
        scope        = local.package_container_id
      }
      slot-vault = {
        principal_id = local.identities.slot.principal_id
        role         = "Key Vault Secrets User"
        scope        = module.key_vault.id
      }
      slot-telemetry = {
        principal_id = local.identities.slot.principal_id
        role         = "Monitoring Metrics Publisher"
        scope        = module.monitoring.app_insights_ids["smoke"]
      }
    } : {},

    {
      for name, object_id in var.producers : "producer-${name}" => {
        principal_id = object_id
        role         = "Azure Event Hubs Data Sender"
        scope        = module.event_hub.hub_ids[local.hub]
      }
    },
  )

  operator_roles = {
    vault = { role = "Key Vault Secrets Officer", scope = module.key_vault.id }
    rules = { role = "Storage Blob Data Contributor", scope = local.rules_container_id }
    logs  = { role = "Log Analytics Reader", scope = module.monitoring.log_analytics_workspace_id }
  }
}

resource "azurerm_role_assignment" "services" {
  for_each = local.role_assignments

  scope                = each.value.scope
  role_definition_name = each.value.role
  principal_id         = each.value.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "operators" {
  for_each = local.operator_roles

  scope                = each.value.scope
  role_definition_name = each.value.role
  principal_id         = var.operators.object_id
  principal_type       = "Group"
}
