variable "resource_group_name" {
  type        = string
  description = "Resource group of the network."
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
    virtual_network = string
    nat_gateway     = string
    public_ip       = string
    github_network  = string
    postgresql      = string
  })
  description = "Names of the network, its way out, GitHub's network settings and the server that the private zone is for."
}

variable "address_space" {
  type        = string
  description = "Range of the network: a /22, of which a /24 goes to the functions. It must not overlap with networks it will be peered with."

  validation {
    condition     = can(cidrhost(var.address_space, 0)) && endswith(var.address_space, "/22")
    error_message = "address_space is a /22 in CIDR notation, for example 10.40.0.0/22."
  }
}

variable "plan" {
  type        = string
  description = "elastic_premium or flex_consumption: each delegates the functions' subnet to another service."
}

variable "github_database_id" {
  type        = string
  default     = null
  description = "databaseId of the GitHub organization whose hosted runners join the network; null: none do."
}
