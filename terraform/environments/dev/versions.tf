terraform {
  required_version = ">= 1.9"

  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.55"
    }
  }
}

# Subscription, tenant and client come from ARM_SUBSCRIPTION_ID, ARM_TENANT_ID and ARM_CLIENT_ID.
provider "azurerm" {
  use_oidc            = true
  storage_use_azuread = true
  # Registering services is a right over the whole subscription: it is done once, by its owner.
  resource_provider_registrations = "none"

  features {
    key_vault {
      purge_soft_delete_on_destroy = false
    }

    # A change of a parameter that needs a restart waits for the maintenance window or an operator.
    postgresql_flexible_server {
      restart_server_on_configuration_value_change = false
    }

    resource_group {
      prevent_deletion_if_contains_resources = true
    }
  }
}
