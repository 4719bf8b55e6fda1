resource "azurerm_storage_account" "this" {
  #checkov:skip=CKV_AZURE_35:closed unless the caller opens it, which the account of packages does (stack/storage.tf)
  name                              = var.name
  resource_group_name               = var.resource_group_name
  location                          = var.location
  account_kind                      = "StorageV2"
  account_tier                      = "Standard"
  account_replication_type          = var.replication
  min_tls_version                   = "TLS1_2"
  https_traffic_only_enabled        = true
  allow_nested_items_to_be_public   = false
  cross_tenant_replication_enabled  = false
  default_to_oauth_authentication   = true
  infrastructure_encryption_enabled = true
  local_user_enabled                = false
  public_network_access_enabled     = var.public_network_access
  shared_access_key_enabled         = var.shared_access_keys
  tags                              = var.tags

  blob_properties {
    versioning_enabled = var.versioning

    delete_retention_policy {
      days = var.soft_delete_days
    }

    container_delete_retention_policy {
      days = var.soft_delete_days
    }
  }

  # An account's own services, Event Hubs' capture among them, come in as trusted ones.
  network_rules {
    default_action = var.public_network_access ? "Allow" : "Deny"
    bypass         = ["AzureServices"]
  }

  # Takes no variable, so that it holds in every environment: terraform/README.md says how dev is
  # taken down all the same.
  lifecycle {
    prevent_destroy = true
  }
}

resource "azurerm_storage_container" "this" {
  for_each = var.containers

  name                  = each.key
  storage_account_id    = azurerm_storage_account.this.id
  container_access_type = "private"
}

resource "azurerm_storage_management_policy" "this" {
  storage_account_id = azurerm_storage_account.this.id

  dynamic "rule" {
    for_each = var.expiry_days

    content {
      name    = "expire-${replace(rule.key, "/", "-")}"
      enabled = true

      filters {
        blob_types   = ["blockBlob"]
        prefix_match = [rule.key]
      }

      actions {
        base_blob {
          delete_after_days_since_modification_greater_than = rule.value
        }
      }
    }
  }

  # Without it a version is kept, and paid for, for ever.
  rule {
    name    = "forget-versions"
    enabled = true

    filters {
      blob_types = ["blockBlob"]
    }

    actions {
      version {
        delete_after_days_since_creation = var.soft_delete_days
      }
    }
  }
}

resource "azurerm_private_endpoint" "this" {
  for_each = var.endpoints

  name                = "pe-${var.name}-${each.key}"
  resource_group_name = var.resource_group_name
  location            = var.location
  subnet_id           = var.endpoint_subnet_id
  tags                = var.tags

  private_service_connection {
    name                           = each.key
    private_connection_resource_id = azurerm_storage_account.this.id
    subresource_names              = [each.key]
    is_manual_connection           = false
  }

  private_dns_zone_group {
    name                 = each.key
    private_dns_zone_ids = [var.private_zone_ids[each.key]]
  }
}

resource "azurerm_monitor_diagnostic_setting" "this" {
  for_each = toset(["blob", "queue"])

  name                       = "log-analytics"
  target_resource_id         = "${azurerm_storage_account.this.id}/${each.key}Services/default"
  log_analytics_workspace_id = var.log_analytics_workspace_id

  # Who read, wrote and deleted.
  enabled_log {
    category_group = "audit"
  }
}

resource "azurerm_management_lock" "this" {
  count = var.deletion_lock ? 1 : 0

  name       = "keep"
  scope      = azurerm_storage_account.this.id
  lock_level = "CanNotDelete"
  notes      = "Holds data that no other place has."
}
