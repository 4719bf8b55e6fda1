variable "resource_group_name" {
  type        = string
  description = "Resource group of the workspace and the alerts."
}

variable "location" {
  type        = string
  description = "Azure region."
}

variable "tags" {
  type        = map(string)
  description = "Tags of every resource."
}

variable "names" {
  type = object({
    action_group  = string
    app_insights  = string
    log_analytics = string
  })
  description = "Names of the action group, Application Insights and the workspace."
}

variable "smoke_insights" {
  type        = bool
  description = "Make an Application Insights of its own for the staging slot, so that a smoke test alerts nobody."
}

variable "retention_days" {
  type        = number
  description = "How long logs are kept."

  validation {
    condition     = contains([30, 60, 90, 120, 180, 270, 365, 550, 730], var.retention_days)
    error_message = "retention_days is 30, 60, 90, 120, 180, 270, 365, 550 or 730: Application Insights takes no other."
  }
}

variable "daily_quota_gb" {
  type        = number
  description = "Logs that a day may bring, in GB, before Azure drops the rest; -1 for no limit."
}

variable "mail_addresses" {
  type        = map(string)
  description = "Whom alerts go to: mail addresses by a name for each."

  validation {
    condition     = length(var.mail_addresses) > 0
    error_message = "mail_addresses is empty: an alert that nobody gets is none."
  }
}

variable "event_hub_namespace_id" {
  type        = string
  description = "Namespace that is watched."
}

variable "database_id" {
  type        = string
  description = "Server that is watched."
}

variable "thresholds" {
  type = object({
    lag_seconds          = optional(number, 300)
    failures             = optional(number, 5)
    rejected_percent     = optional(number, 1)
    database_cpu_percent = optional(number, 80)
    database_disk_filled = optional(number, 80)
    database_connections = optional(number, 300)
  })
  default     = {}
  description = "When to alert: age of the oldest payment of a batch; failed calls in 5 minutes; percentage of refused payments; percentages of processor and disk and connections of the database."
}
