output "log_analytics_workspace_id" {
  description = "Id of the workspace."
  value       = azurerm_log_analytics_workspace.this.id
}

output "app_insights_ids" {
  description = "Ids of Application Insights: app, and smoke where there is a slot."
  value       = { for name, insights in azurerm_application_insights.this : name => insights.id }
}

output "connection_strings" {
  description = "Connection strings of Application Insights: app, and smoke where there is a slot."
  value       = { for name, insights in azurerm_application_insights.this : name => insights.connection_string }
  sensitive   = true
}

output "log_analytics_customer_id" {
  description = "Id by which the workspace is queried."
  value       = azurerm_log_analytics_workspace.this.workspace_id
}
