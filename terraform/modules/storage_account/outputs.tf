output "id" {
  description = "Id of the account."
  value       = azurerm_storage_account.this.id
}

output "name" {
  description = "Name of the account."
  value       = azurerm_storage_account.this.name
}

output "blob_uri" {
  description = "Address of its blobs, with a slash at its end."
  value       = azurerm_storage_account.this.primary_blob_endpoint
}

output "queue_uri" {
  description = "Address of its queues, with a slash at its end."
  value       = azurerm_storage_account.this.primary_queue_endpoint
}

output "container_ids" {
  description = "Ids of the containers, by name: scopes of role assignments."
  value       = { for name, container in azurerm_storage_container.this : name => container.id }
}
