variable "resource_group_name" {
  type        = string
  description = "Resource group of the app."
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
    function_app = string
    service_plan = string
  })
  description = "Names of the app and of its plan."
}

variable "plan" {
  type        = string
  description = "elastic_premium: slots, instances that are always ready. flex_consumption: no slots, billed by use, each function scales by itself. terraform/README.md weighs them."

  validation {
    condition     = contains(["elastic_premium", "flex_consumption"], var.plan)
    error_message = "plan is elastic_premium or flex_consumption."
  }
}

variable "elastic_premium" {
  type = object({
    sku               = optional(string, "EP1")
    minimum_instances = optional(number, 1)
    maximum_instances = optional(number, 20)
    zone_redundant    = optional(bool, false)
  })
  default     = {}
  description = "Size of an Elastic Premium plan. More instances than partitions of the hub are idle."

  validation {
    condition     = contains(["EP1", "EP2", "EP3"], var.elastic_premium.sku)
    error_message = "elastic_premium.sku is EP1, EP2 or EP3."
  }

  validation {
    condition     = !var.elastic_premium.zone_redundant || var.elastic_premium.minimum_instances >= 2
    error_message = "A plan in several zones needs at least 2 instances: elastic_premium.minimum_instances."
  }
}

variable "flex_consumption" {
  type = object({
    instance_memory_mb = optional(number, 2048)
    maximum_instances  = optional(number, 40)
    always_ready       = optional(map(number), {})
  })
  default     = {}
  description = "Size of a Flex Consumption plan: memory of an instance, how many there may be, and how many of which function wait for work."

  validation {
    condition     = contains([512, 2048, 4096], var.flex_consumption.instance_memory_mb)
    error_message = "flex_consumption.instance_memory_mb is 512, 2048 or 4096."
  }
}

variable "subnet_id" {
  type        = string
  description = "Subnet that is delegated to the plan."
}

variable "runner_subnet_id" {
  type        = string
  description = "Subnet of the runners, which deploy."
}

variable "allowed_address_ranges" {
  type        = map(string)
  default     = {}
  description = "Who else may call the app's HTTP endpoints: address ranges by a name for each."
}

variable "identity" {
  type = object({
    id        = string
    client_id = string
    name      = string
  })
  description = "Identity of the functions."
}

variable "slot_identity" {
  type = object({
    id        = string
    client_id = string
    name      = string
  })
  default     = null
  description = "Identity of the staging slot; only Elastic Premium has one."

  validation {
    condition     = (var.plan == "elastic_premium") == (var.slot_identity != null)
    error_message = "slot_identity goes with the plan elastic_premium, and only with it."
  }
}

variable "host_storage_name" {
  type        = string
  description = "Storage account of the Functions host: locks, keys, checkpoints."
}

variable "rules_storage" {
  type = object({
    blob_uri  = string
    queue_uri = string
    container = string
  })
  description = "Where rule documents are."
}

variable "package_container_uri" {
  type        = string
  description = "Address of the container that packages are deployed from."
}

variable "event_hubs" {
  type = object({
    host_name      = string
    hub            = string
    smoke_hub      = string
    consumer_group = string
  })
  description = "Namespace, hub and consumer group that payments are read from, and the hub of the slot."
}

variable "database" {
  type = object({
    host       = string
    port       = number
    name       = string
    smoke_name = string
  })
  description = "Server, port of PgBouncer and database, and the database of the slot."
}

variable "key_vault_uri" {
  type        = string
  description = "Vault that holds pii-hash-key, with a slash at its end."
}

variable "telemetry" {
  type = object({
    connection_string       = string
    smoke_connection_string = string
  })
  sensitive   = true
  description = "Application Insights of the app and of the slot."
}

variable "worker_telemetry" {
  type        = bool
  default     = true
  description = "Let the Python worker send OpenTelemetry itself, by azure-monitor-opentelemetry of requirements.txt. Goes with telemetryMode OpenTelemetry in host.json: without the one or the other, logs are sent twice or not at all."
}

variable "pipeline" {
  type = object({
    retention_days                     = number
    allowed_lateness_minutes           = number
    fold_interval_milliseconds         = number
    database_pool_size                 = number
    database_statement_timeout_seconds = number
  })
  description = "Settings of the pipeline (README.md)."
}

variable "log_analytics_workspace_id" {
  type        = string
  description = "Workspace that takes logs and metrics."
}
