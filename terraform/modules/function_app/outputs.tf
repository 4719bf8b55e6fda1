output "id" {
  description = "Id of the app."
  value       = local.app_id
}

output "name" {
  description = "Name of the app."
  value       = var.names.function_app
}

output "default_hostname" {
  description = "Host name of the app."
  value       = local.is_premium ? azurerm_linux_function_app.this[0].default_hostname : azurerm_function_app_flex_consumption.this[0].default_hostname
}

output "slot_name" {
  description = "Name of the staging slot; null where there is none."
  value       = one(azurerm_linux_function_app_slot.staging[*].name)
}

output "slot_hostname" {
  description = "Host name of the staging slot; null where there is none."
  value       = one(azurerm_linux_function_app_slot.staging[*].default_hostname)
}

output "vault_reader_principal_id" {
  description = "Principal that resolves references to the vault where it is not the given identity; null otherwise."
  value       = one(azurerm_function_app_flex_consumption.this[*].identity[0].principal_id)
}
