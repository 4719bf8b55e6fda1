variable "resource_group_name" {
  type        = string
  description = "Resource group of the account."
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
  description = "Name of the account: at most 24 lower-case letters and digits."
}

variable "replication" {
  type        = string
  description = "LRS keeps three copies in one zone, ZRS in three zones, GZRS in another region, too."

  validation {
    condition     = contains(["LRS", "ZRS", "GZRS"], var.replication)
    error_message = "replication is one of LRS, ZRS and GZRS."
  }
}

variable "containers" {
  type        = set(string)
  description = "Names of the blob containers."
}

variable "shared_access_keys" {
  type        = bool
  default     = false
  description = "Accept account keys, which open everything and tell nobody who it was. Only what cannot do without has them."
}

variable "public_network_access" {
  type        = bool
  default     = false
  description = "Answer from everywhere, to who has an Entra role."
}

variable "soft_delete_days" {
  type        = number
  description = "How long deleted blobs and containers, and earlier versions, come back."

  validation {
    condition     = var.soft_delete_days >= 7 && var.soft_delete_days <= 365
    error_message = "soft_delete_days is 7 to 365."
  }
}

variable "versioning" {
  type        = bool
  default     = true
  description = "Keep what is overwritten. Off where blobs are rewritten all the time, such as leases and checkpoints."
}

variable "expiry_days" {
  type        = map(number)
  default     = {}
  description = "Days after which blobs are deleted, by their prefix: container, or container/folder."
}

variable "endpoints" {
  type        = set(string)
  description = "Services that get a private endpoint: blob, queue, table."

  validation {
    condition     = length(setsubtract(var.endpoints, ["blob", "queue", "table"])) == 0
    error_message = "endpoints are any of blob, queue and table."
  }
}

variable "private_zone_ids" {
  type        = map(string)
  description = "Private DNS zones of the services."
}

variable "endpoint_subnet_id" {
  type        = string
  description = "Subnet of the private endpoints."
}

variable "log_analytics_workspace_id" {
  type        = string
  description = "Workspace that takes logs and metrics."
}

variable "deletion_lock" {
  type        = bool
  description = "Let nobody delete it, by whatever means, before the lock is taken away."
}
