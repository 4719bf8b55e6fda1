variable "resource_group_name" {
  type        = string
  description = "Resource group of the identities."
}

variable "location" {
  type        = string
  description = "Azure region."
}

variable "tags" {
  type        = map(string)
  description = "Tags of every resource."
}

variable "identities" {
  type = map(object({
    name               = string
    federated_subjects = optional(map(string), {})
  }))
  description = "Name of each identity, by its role, and whose GitHub tokens may act as it: subject of the token by a name of the credential."

  validation {
    condition     = alltrue(flatten([for identity in var.identities : [for subject in values(identity.federated_subjects) : !strcontains(subject, "*")]]))
    error_message = "A subject names one repository and one environment: Azure compares it letter by letter."
  }
}
