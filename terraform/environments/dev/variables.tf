variable "organization" {
  type        = string
  description = "Abbreviation of who owns the workload: part of every name."
}

variable "environment" {
  type        = string
  description = "dev, staging or production."
}

variable "location" {
  type        = string
  description = "Azure region."
}

variable "owner" {
  type        = string
  description = "Mail address of the team that answers for the resources."
}

variable "cost_center" {
  type        = string
  description = "Who pays."
}

variable "address_space" {
  type        = string
  description = "Range of the network, a /22 that no peer uses."
}

variable "github" {
  type = object({
    repository  = string
    database_id = optional(string)
  })
  description = "Repository (owner/name) whose workflows deploy, and databaseId of its organization if GitHub's hosted runners join the network."
}

variable "operators" {
  type = object({
    object_id = string
    name      = string
  })
  description = "Entra group of the people who administer the database, put the key into the vault and upload rules."
}

variable "producers" {
  type        = map(string)
  default     = {}
  description = "Who may send payments: object ids of service principals, by a name for each."
}

variable "plan" {
  type        = string
  description = "Plan of the function app: elastic_premium or flex_consumption."
}

variable "elastic_premium" {
  type = object({
    sku               = optional(string, "EP1")
    minimum_instances = optional(number, 1)
    maximum_instances = optional(number, 20)
    zone_redundant    = optional(bool, false)
  })
  default     = {}
  description = "Size of the plan elastic_premium."
}

variable "flex_consumption" {
  type = object({
    instance_memory_mb = optional(number, 2048)
    maximum_instances  = optional(number, 40)
    always_ready       = optional(map(number), {})
  })
  default     = {}
  description = "Size of the plan flex_consumption."
}

variable "allowed_address_ranges" {
  type        = map(string)
  default     = {}
  description = "Who may call the app's HTTP endpoints: address ranges by a name for each."
}

variable "event_hub" {
  type = object({
    throughput_units         = number
    maximum_throughput_units = number
    partitions               = number
    retention_days           = number
    captured                 = bool
    capture_days             = optional(number, 7)
  })
  description = "Size of the namespace and of the hub of payments, how long messages are kept, whether they are captured as files, and how long those are kept."
}

variable "database" {
  type = object({
    sku                   = string
    storage_mb            = number
    zone                  = string
    high_availability     = optional(string)
    standby_zone          = optional(string)
    backup_retention_days = number
    geo_redundant_backup  = bool
    parameters            = optional(map(string), {})
  })
  description = "Size of the server, its standby and its backups."
}

variable "storage" {
  type = object({
    replication      = string
    soft_delete_days = number
  })
  description = "Copies of what is stored as blobs, and how long what was deleted comes back."
}

variable "pipeline" {
  type = object({
    retention_days                     = optional(number, 30)
    allowed_lateness_minutes           = optional(number, 15)
    fold_interval_milliseconds         = optional(number, 1000)
    database_pool_size                 = optional(number, 2)
    database_statement_timeout_seconds = optional(number, 60)
  })
  default     = {}
  description = "Settings of the pipeline (README.md)."
}

variable "monitoring" {
  type = object({
    retention_days = number
    daily_quota_gb = number
    mail_addresses = map(string)
    thresholds = optional(object({
      lag_seconds          = optional(number, 300)
      failures             = optional(number, 5)
      rejected_percent     = optional(number, 1)
      database_cpu_percent = optional(number, 80)
      database_disk_filled = optional(number, 80)
      database_connections = optional(number, 300)
    }), {})
  })
  description = "How long logs are kept, how many a day may bring, whom alerts go to, and when."
}

variable "deletion_lock" {
  type        = bool
  description = "Lock database and stored rules against deletion."
}
