variable "resource_group_name" {
  type        = string
  description = "Resource group of the vault."
}

variable "location" {
  type        = string
  description = "Azure region."
}

variable "tags" {
  type        = map(string)
  description = "Tags of every resource."
}

variable "name" {
  type        = string
  description = "Name of the vault."
}

variable "tenant_id" {
  type        = string
  description = "Entra tenant whose identities it knows."
}

variable "endpoint_subnet_id" {
  type        = string
  description = "Subnet of the private endpoint."
}

variable "private_zone_id" {
  type        = string
  description = "Private DNS zone of vaults."
}

variable "log_analytics_workspace_id" {
  type        = string
  description = "Workspace that takes logs and metrics."
}
