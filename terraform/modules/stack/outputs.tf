output "resource_group_name" {
  description = "Resource group of everything."
  value       = azurerm_resource_group.this.name
}

output "location" {
  description = "Azure region."
  value       = azurerm_resource_group.this.location
}

output "plan" {
  description = "elastic_premium: swap to go back; flex_consumption: deploy the package before."
  value       = var.plan
}

output "function_app_name" {
  description = "Name of the function app."
  value       = module.function_app.name
}

output "function_app_hostname" {
  description = "Host name of the function app."
  value       = module.function_app.default_hostname
}

output "slot_name" {
  description = "Name of the staging slot; null where there is none."
  value       = module.function_app.slot_name
}

output "slot_hostname" {
  description = "Host name of the staging slot; null where there is none."
  value       = module.function_app.slot_hostname
}

output "event_hub_namespace" {
  description = "Fully qualified name of the Event Hubs namespace."
  value       = module.event_hub.host_name
}

output "event_hub_name" {
  description = "Hub of payments."
  value       = local.hub
}

output "smoke_hub_name" {
  description = "Hub of the staging slot."
  value       = local.smoke_hub
}

output "rules_storage_account" {
  description = "Storage account of rule documents."
  value       = module.rules_storage.name
}

output "rules_container" {
  description = "Container of rule documents."
  value       = local.rules_container
}

output "deployment_storage_account" {
  description = "Storage account of packages."
  value       = module.package_storage.name
}

output "deployment_container" {
  description = "Container of packages."
  value       = local.package_container
}

output "database_host" {
  description = "Name of the database server."
  value       = module.postgresql.host
}

output "database_name" {
  description = "Database of payments."
  value       = local.database
}

output "smoke_database_name" {
  description = "Database of the staging slot."
  value       = local.smoke_database
}

output "deployer_client_id" {
  description = "Client id of the identity that deploys."
  value       = local.identities.deployer.client_id
}

output "deployer_name" {
  description = "Name of the identity that deploys, which is its login in the database."
  value       = local.identities.deployer.name
}

output "migrator_client_id" {
  description = "Client id of the identity that migrates the database."
  value       = local.identities.migrator.client_id
}

output "migrator_name" {
  description = "Name of the identity that migrates, which is its login in the database."
  value       = local.identities.migrator.name
}

output "functions_name" {
  description = "Name of the functions' identity, which is its login in the database."
  value       = local.identities.functions.name
}

output "slot_identity_name" {
  description = "Name of the slot's identity, which is its login in the smoke database; null where there is none."
  value       = try(local.identities.slot.name, null)
}

output "log_analytics_workspace_id" {
  description = "Workspace of all logs."
  value       = module.monitoring.log_analytics_workspace_id
}

output "app_insights_id" {
  description = "Application Insights of the functions."
  value       = module.monitoring.app_insights_ids["app"]
}

output "system_topic_name" {
  description = "Event Grid topic of uploaded rules."
  value       = azurerm_eventgrid_system_topic.rules.name
}

output "key_vault_name" {
  description = "Vault that an operator puts pii-hash-key into."
  value       = local.names.key_vault
}

output "outbound_address" {
  description = "Address from which functions and runners reach the Internet."
  value       = module.network.outbound_address
}

output "github_network_settings_id" {
  description = "Id to give GitHub so that its hosted runners join the network; null without."
  value       = module.network.github_network_settings_id
}

output "database_server" {
  description = "The database server as RESOURCE_GROUP/NAME, for restore points."
  value       = "${azurerm_resource_group.this.name}/${local.names.postgresql}"
}

output "deploy_target" {
  description = "The function app as the deploy commands take it: azure:GROUP/APP/SLOT, or azure:GROUP/APP without slots."
  value       = join("/", compact(["azure:${azurerm_resource_group.this.name}", module.function_app.name, module.function_app.slot_name]))
}

output "deployment_storage_uri" {
  description = "Address of the blobs of the storage account of packages."
  value       = module.package_storage.blob_uri
}

output "event_hub_consumer_group" {
  description = "Consumer group of the functions."
  value       = local.consumer_group
}

output "host_storage_uri" {
  description = "Address of the blobs of the storage account of the Functions host, which keeps the checkpoints."
  value       = module.host_storage.blob_uri
}

output "rules_storage_uri" {
  description = "Address of the blobs of the storage account of rule documents."
  value       = module.rules_storage.blob_uri
}

output "log_analytics_workspace_customer_id" {
  description = "Id by which the workspace is queried."
  value       = module.monitoring.log_analytics_customer_id
}
