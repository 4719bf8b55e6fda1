variable "resource_group_name" {
  type        = string
  description = "Resource group of the server."
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
  description = "Name of the server."
}

variable "tenant_id" {
  type        = string
  description = "Entra tenant whose identities may log in."
}

variable "administrators" {
  type = map(object({
    object_id = string
    name      = string
    type      = string
  }))
  description = "Who may make roles and databases, each a User, a Group or a ServicePrincipal. There is no other superuser, and no password."

  validation {
    condition     = length(var.administrators) > 0 && alltrue([for who in var.administrators : contains(["User", "Group", "ServicePrincipal"], who.type)])
    error_message = "There is at least one administrator, and each is a User, a Group or a ServicePrincipal."
  }
}

variable "postgresql_version" {
  type        = string
  default     = "17"
  description = "Major version of PostgreSQL."

  validation {
    condition     = contains(["16", "17", "18"], var.postgresql_version)
    error_message = "postgresql_version is 16, 17 or 18."
  }
}

variable "sku" {
  type        = string
  description = "Size of the server, as Azure writes it. PgBouncer needs General Purpose or Memory Optimized."

  validation {
    condition     = can(regex("^(GP|MO)_Standard_", var.sku))
    error_message = "sku begins with GP_Standard_ or MO_Standard_: a burstable server has no PgBouncer, and stops when its credits are spent."
  }
}

variable "storage_mb" {
  type        = number
  description = "Disk, in MiB. It grows by itself, and never shrinks."
}

variable "high_availability" {
  type        = string
  default     = null
  description = "ZoneRedundant, SameZone, or null for no standby."

  validation {
    condition     = var.high_availability == null || contains(["ZoneRedundant", "SameZone"], coalesce(var.high_availability, "none"))
    error_message = "high_availability is ZoneRedundant, SameZone or null."
  }
}

variable "zone" {
  type        = string
  description = "Availability zone of the server."
}

variable "standby_zone" {
  type        = string
  default     = null
  description = "Availability zone of a ZoneRedundant standby."

  validation {
    condition     = (var.high_availability == "ZoneRedundant") == (var.standby_zone != null && var.standby_zone != var.zone)
    error_message = "standby_zone is another zone than zone where high_availability is ZoneRedundant, and null elsewhere."
  }
}

variable "backup_retention_days" {
  type        = number
  description = "How far back the server can be restored, to any second of it."

  validation {
    condition     = var.backup_retention_days >= 7 && var.backup_retention_days <= 35
    error_message = "backup_retention_days is 7 to 35."
  }
}

variable "geo_redundant_backup" {
  type        = bool
  description = "Keep backups in the paired region, too. Cannot be changed later."
}

variable "databases" {
  type        = set(string)
  description = "Names of the databases."
}

variable "parameters" {
  type        = map(string)
  default     = {}
  description = "Server parameters beside, or instead of, those in main.tf."
}

variable "subnet_id" {
  type        = string
  description = "Subnet that is delegated to the server."
}

variable "private_zone_id" {
  type        = string
  description = "Private DNS zone of the server."
}

variable "log_analytics_workspace_id" {
  type        = string
  description = "Workspace that takes logs and metrics."
}

variable "deletion_lock" {
  type        = bool
  description = "Let nobody delete it, by whatever means, before the lock is taken away."
}
