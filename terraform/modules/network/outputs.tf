output "subnet_ids" {
  description = "Ids of the subnets functions, endpoints, runners and database."
  value       = { for name, subnet in azurerm_subnet.this : name => subnet.id }
}

output "private_zone_ids" {
  description = "Ids of the private DNS zones, by what they are for, once the network resolves by them."
  value       = { for name, zone in azurerm_private_dns_zone.this : name => zone.id }
  depends_on  = [azurerm_private_dns_zone_virtual_network_link.this]
}

output "outbound_address" {
  description = "The address from which the functions and the runners reach the Internet."
  value       = azurerm_public_ip.outbound.ip_address
}

output "github_network_settings_id" {
  description = "Id that GitHub asks for to let its hosted runners join the network; null without runners."
  value       = try(jsondecode(azurerm_resource_group_template_deployment.github_network[0].output_content).gitHubId.value, null)
}
