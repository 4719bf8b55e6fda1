output "id" {
  description = "Id of the server."
  value       = azurerm_postgresql_flexible_server.this.id
}

output "host" {
  description = "Name that clients connect to, and that its certificate proves."
  value       = azurerm_postgresql_flexible_server.this.fqdn
}

output "pooled_port" {
  description = "Port of PgBouncer; the server itself listens on 5432."
  value       = 6432
}
