output "names" {
  description = "Name of each resource, by what it is."
  value       = local.names
}

output "tags" {
  description = "Tags that every resource carries."
  value       = local.tags
}
