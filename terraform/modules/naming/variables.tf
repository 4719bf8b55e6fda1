variable "organization" {
  type        = string
  description = "Abbreviation of who owns the workload. Names of storage accounts, vaults, namespaces, servers and apps are unique in all of Azure; this keeps them apart from everybody else's."

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,4}$", var.organization))
    error_message = "organization takes 2 to 5 lower-case letters and digits and begins with a letter, for example \"acme\"."
  }
}

variable "workload" {
  type        = string
  description = "What runs here."

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{2,7}$", var.workload))
    error_message = "workload takes 3 to 8 lower-case letters and digits and begins with a letter, for example \"payments\"."
  }
}

variable "environment" {
  type        = string
  description = "dev, staging or production."

  validation {
    condition     = contains(["dev", "staging", "production"], var.environment)
    error_message = "environment is one of dev, staging and production."
  }
}

variable "location" {
  type        = string
  description = "Azure region as Azure writes it, for example westeurope."

  validation {
    condition     = contains(keys(local.region_codes), var.location)
    error_message = "location has no abbreviation yet: add it to region_codes in modules/naming/main.tf."
  }
}

variable "owner" {
  type        = string
  description = "Mail address of the team that answers for the resources; becomes a tag."

  validation {
    condition     = can(regex("^[^@[:space:]]+@[^@[:space:]]+$", var.owner))
    error_message = "owner is a mail address of a team, for example payments-platform@example.com."
  }
}

variable "cost_center" {
  type        = string
  description = "Who pays; becomes a tag."

  validation {
    condition     = length(trimspace(var.cost_center)) > 0
    error_message = "cost_center must not be empty: untagged cost is nobody's."
  }
}
