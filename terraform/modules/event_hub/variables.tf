variable "resource_group_name" {
  type        = string
  description = "Resource group of the namespace."
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
  description = "Name of the namespace."
}

variable "throughput_units" {
  type        = number
  description = "Throughput units to begin with: each takes 1 MB or 1,000 messages a second, and gives twice as much."
}

variable "maximum_throughput_units" {
  type        = number
  description = "Units up to which the namespace inflates by itself. It never deflates: that is done by hand."

  validation {
    condition     = var.maximum_throughput_units > var.throughput_units && var.maximum_throughput_units <= 40
    error_message = "maximum_throughput_units lies above throughput_units and is at most 40."
  }
}

variable "hubs" {
  type = map(object({
    partitions      = number
    retention_days  = number
    consumer_groups = set(string)
    captured        = optional(bool, false)
  }))
  description = "Hubs by name. A Standard namespace can change no number of partitions later; 32 are the most."

  validation {
    condition     = alltrue([for hub in var.hubs : hub.partitions >= 1 && hub.partitions <= 32])
    error_message = "A hub has 1 to 32 partitions."
  }

  validation {
    condition     = alltrue([for hub in var.hubs : hub.retention_days >= 1 && hub.retention_days <= 7])
    error_message = "A Standard namespace keeps messages 1 to 7 days."
  }
}

variable "capture" {
  type = object({
    storage_account_id = string
    container          = string
  })
  description = "Where captured hubs are written to; null if none is captured."
  default     = null

  validation {
    condition     = var.capture != null || !anytrue([for hub in var.hubs : hub.captured])
    error_message = "A hub is to be captured: capture has to say where to."
  }
}

variable "endpoint_subnet_id" {
  type        = string
  description = "Subnet of the private endpoint."
}

variable "private_zone_id" {
  type        = string
  description = "Private DNS zone of Event Hubs."
}

variable "log_analytics_workspace_id" {
  type        = string
  description = "Workspace that takes logs and metrics."
}
