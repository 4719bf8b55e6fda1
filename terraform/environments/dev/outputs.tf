output "resource_group_name" {
  description = "Resource group of everything."
  value       = module.stack.resource_group_name
}

output "location" {
  description = "Azure region."
  value       = module.stack.location
}

output "plan" {
  description = "elastic_premium: swap to go back; flex_consumption: deploy the package before."
  value       = module.stack.plan
}

output "function_app_name" {
  description = "Name of the function app."
  value       = module.stack.function_app_name
}

output "function_app_hostname" {
  description = "Host name of the function app."
  value       = module.stack.function_app_hostname
}

output "slot_name" {
  description = "Name of the staging slot; null where there is none."
  value       = module.stack.slot_name
}

output "slot_hostname" {
  description = "Host name of the staging slot; null where there is none."
  value       = module.stack.slot_hostname
}

output "event_hub_namespace" {
  description = "Fully qualified name of the Event Hubs namespace."
  value       = module.stack.event_hub_namespace
}

output "event_hub_name" {
  description = "Hub of payments."
  value       = module.stack.event_hub_name
}

output "smoke_hub_name" {
  description = "Hub of the staging slot."
  value       = module.stack.smoke_hub_name
}

output "rules_storage_account" {
  description = "Storage account of rule documents."
  value       = module.stack.rules_storage_account
}

output "rules_container" {
  description = "Container of rule documents."
  value       = module.stack.rules_container
}

output "deployment_storage_account" {
  description = "Storage account of packages."
  value       = module.stack.deployment_storage_account
}

output "deployment_container" {
  description = "Container of packages."
  value       = module.stack.deployment_container
}

output "database_host" {
  description = "Name of the database server."
  value       = module.stack.database_host
}

output "database_name" {
  description = "Database of payments."
  value       = module.stack.database_name
}

output "smoke_database_name" {
  description = "Database of the staging slot."
  value       = module.stack.smoke_database_name
}

output "deployer_client_id" {
  description = "Client id of the identity that deploys."
  value       = module.stack.deployer_client_id
}

output "deployer_name" {
  description = "Name of the identity that deploys, which is its login in the database."
  value       = module.stack.deployer_name
}

output "migrator_client_id" {
  description = "Client id of the identity that migrates the database."
  value       = module.stack.migrator_client_id
}

output "migrator_name" {
  description = "Name of the identity that migrates, which is its login in the database."
  value       = module.stack.migrator_name
}

output "functions_name" {
  description = "Name of the functions' identity, which is its login in the database."
  value       = module.stack.functions_name
}

output "slot_identity_name" {
  description = "Name of the slot's identity, which is its login in the smoke database; null where there is none."
  value       = module.stack.slot_identity_name
}

output "log_analytics_workspace_id" {
  description = "Workspace of all logs."
  value       = module.stack.log_analytics_workspace_id
}

output "app_insights_id" {
  description = "Application Insights of the functions."
  value       = module.stack.app_insights_id
}

output "system_topic_name" {
  description = "Event Grid topic of uploaded rules."
  value       = module.stack.system_topic_name
}

output "key_vault_name" {
  description = "Vault that an operator puts pii-hash-key into."
  value       = module.stack.key_vault_name
}

output "outbound_address" {
  description = "Address from which functions and runners reach the Internet."
  value       = module.stack.outbound_address
}

output "github_network_settings_id" {
  description = "Id to give GitHub so that its hosted runners join the network; null without."
  value       = module.stack.github_network_settings_id
}

output "database_server" {
  description = "The database server as RESOURCE_GROUP/NAME, for restore points."
  value       = module.stack.database_server
}

output "deploy_target" {
  description = "The function app as the deploy commands take it: azure:GROUP/APP/SLOT, or azure:GROUP/APP without slots."
  value       = module.stack.deploy_target
}

output "deployment_storage_uri" {
  description = "Address of the blobs of the storage account of packages."
  value       = module.stack.deployment_storage_uri
}

output "event_hub_consumer_group" {
  description = "Consumer group of the functions."
  value       = module.stack.event_hub_consumer_group
}

output "host_storage_uri" {
  description = "Address of the blobs of the storage account of the Functions host, which keeps the checkpoints."
  value       = module.stack.host_storage_uri
}

output "rules_storage_uri" {
  description = "Address of the blobs of the storage account of rule documents."
  value       = module.stack.rules_storage_uri
}

output "log_analytics_workspace_customer_id" {
  description = "Id by which the workspace is queried."
  value       = module.stack.log_analytics_workspace_customer_id
}
