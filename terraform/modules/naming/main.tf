locals {
  region_codes = {
    francecentral      = "frc"
    germanywestcentral = "gwc"
    northeurope        = "neu"
    swedencentral      = "sdc"
    switzerlandnorth   = "szn"
    uksouth            = "uks"
    westeurope         = "weu"
  }

  environment_codes = {
    dev        = "dev"
    staging    = "stg"
    production = "prd"
  }

  # Abbreviations are those of Microsoft's Cloud Adoption Framework. With the longest organization and
  # workload that variables.tf takes, storage accounts and the vault stay within 24 characters and the
  # function app within 32, of which the Functions host makes its id: two apps with the same id on one
  # storage account take each other's locks.
  base    = join("-", [var.organization, var.workload, local.environment_codes[var.environment], local.region_codes[var.location]])
  compact = replace(local.base, "-", "")

  names = {
    action_group      = "ag-${local.base}"
    app_insights      = "appi-${local.base}"
    event_hubs        = "evhns-${local.base}"
    function_app      = "func-${local.base}"
    github_network    = "ghn-${local.base}"
    key_vault         = "kv-${local.compact}"
    log_analytics     = "log-${local.base}"
    nat_gateway       = "ng-${local.base}"
    postgresql        = "psql-${local.base}"
    public_ip         = "pip-${local.base}"
    resource_group    = "rg-${local.base}"
    service_plan      = "asp-${local.base}"
    system_topic      = "evgst-${local.base}"
    virtual_network   = "vnet-${local.base}"
    identity_deployer = "id-${local.base}-deployer"
    identity_function = "id-${local.base}-functions"
    identity_migrator = "id-${local.base}-migrator"
    identity_slot     = "id-${local.base}-slot"
    storage_capture   = "st${local.compact}c"
    storage_host      = "st${local.compact}h"
    storage_packages  = "st${local.compact}p"
    storage_rules     = "st${local.compact}r"
  }

  tags = {
    cost_center         = var.cost_center
    data_classification = "confidential"
    environment         = var.environment
    managed_by          = "terraform"
    owner               = var.owner
    workload            = var.workload
  }
}
