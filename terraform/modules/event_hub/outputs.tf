output "id" {
  description = "Id of the namespace."
  value       = azurerm_eventhub_namespace.this.id
}

output "name" {
  description = "Name of the namespace."
  value       = azurerm_eventhub_namespace.this.name
}

output "host_name" {
  description = "Fully qualified name that clients connect to."
  value       = "${azurerm_eventhub_namespace.this.name}.servicebus.windows.net"
}

output "hub_ids" {
  description = "Ids of the hubs, by name."
  value       = { for name, hub in azurerm_eventhub.this : name => hub.id }
}
