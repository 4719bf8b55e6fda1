# No content share: Azure Files takes account keys only. The package is a blob that WEBSITE_RUN_FROM_PACKAGE
# names and the identity reads; a deployment uploads one and changes the setting, which Terraform
# therefore leaves alone.
resource "azurerm_linux_function_app" "this" {
  #checkov:skip=CKV_AZURE_221:Event Grid delivers from the Internet alone; the access rules refuse all others
  count = local.is_premium ? 1 : 0

  name                = var.names.function_app
  resource_group_name = var.resource_group_name
  location            = var.location
  service_plan_id     = azurerm_service_plan.this.id

  https_only                                     = true
  builtin_logging_enabled                        = false
  content_share_force_disabled                   = true
  ftp_publish_basic_authentication_enabled       = false
  webdeploy_publish_basic_authentication_enabled = false
  public_network_access_enabled                  = true
  storage_account_name                           = var.host_storage_name
  storage_uses_managed_identity                  = true
  virtual_network_subnet_id                      = var.subnet_id
  key_vault_reference_identity_id                = var.identity.id
  tags                                           = var.tags
  app_settings                                   = merge(local.app_settings, local.premium_settings)

  identity {
    type         = "UserAssigned"
    identity_ids = [var.identity.id]
  }

  site_config {
    minimum_tls_version               = "1.2"
    scm_minimum_tls_version           = "1.2"
    ftps_state                        = "Disabled"
    http2_enabled                     = true
    vnet_route_all_enabled            = true
    runtime_scale_monitoring_enabled  = true
    elastic_instance_minimum          = var.elastic_premium.minimum_instances
    pre_warmed_instance_count         = 1
    app_scale_limit                   = var.elastic_premium.maximum_instances
    ip_restriction_default_action     = "Deny"
    scm_ip_restriction_default_action = "Deny"

    application_insights_connection_string = var.telemetry.connection_string

    application_stack {
      python_version = "3.13"
    }

    dynamic "ip_restriction" {
      for_each = local.access_rules

      content {
        name                      = ip_restriction.key
        priority                  = ip_restriction.value.priority
        action                    = "Allow"
        service_tag               = ip_restriction.value.service_tag
        ip_address                = ip_restriction.value.address
        virtual_network_subnet_id = ip_restriction.value.subnet
      }
    }

    scm_ip_restriction {
      name                      = "runners"
      priority                  = 100
      action                    = "Allow"
      virtual_network_subnet_id = var.runner_subnet_id
    }
  }

  sticky_settings {
    app_setting_names = local.sticky_settings
  }

  lifecycle {
    ignore_changes = [app_settings["WEBSITE_RUN_FROM_PACKAGE"]]
  }
}

# Its own hub, database and identity: what the smoke test sends reaches no figure of production. While
# they are swapped it warms up with the settings of production, and so has to be able to act as the
# app's identity, too; until then no setting names that.
resource "azurerm_linux_function_app_slot" "staging" {
  #checkov:skip=CKV_AZURE_221:has the access rules of the app, which it becomes by a swap
  count = local.is_premium ? 1 : 0

  name            = "staging"
  function_app_id = azurerm_linux_function_app.this[0].id

  https_only                                     = true
  builtin_logging_enabled                        = false
  content_share_force_disabled                   = true
  ftp_publish_basic_authentication_enabled       = false
  webdeploy_publish_basic_authentication_enabled = false
  public_network_access_enabled                  = true
  storage_account_name                           = var.host_storage_name
  storage_uses_managed_identity                  = true
  virtual_network_subnet_id                      = var.subnet_id
  key_vault_reference_identity_id                = var.slot_identity.id
  tags                                           = var.tags
  app_settings                                   = local.slot_settings

  identity {
    type         = "UserAssigned"
    identity_ids = [var.slot_identity.id, var.identity.id]
  }

  site_config {
    minimum_tls_version               = "1.2"
    scm_minimum_tls_version           = "1.2"
    ftps_state                        = "Disabled"
    http2_enabled                     = true
    vnet_route_all_enabled            = true
    runtime_scale_monitoring_enabled  = true
    elastic_instance_minimum          = 1
    pre_warmed_instance_count         = 1
    app_scale_limit                   = var.elastic_premium.maximum_instances
    ip_restriction_default_action     = "Deny"
    scm_ip_restriction_default_action = "Deny"

    application_insights_connection_string = var.telemetry.smoke_connection_string

    application_stack {
      python_version = "3.13"
    }

    dynamic "ip_restriction" {
      for_each = local.access_rules

      content {
        name                      = ip_restriction.key
        priority                  = ip_restriction.value.priority
        action                    = "Allow"
        service_tag               = ip_restriction.value.service_tag
        ip_address                = ip_restriction.value.address
        virtual_network_subnet_id = ip_restriction.value.subnet
      }
    }

    scm_ip_restriction {
      name                      = "runners"
      priority                  = 100
      action                    = "Allow"
      virtual_network_subnet_id = var.runner_subnet_id
    }
  }

  lifecycle {
    ignore_changes = [app_settings["WEBSITE_RUN_FROM_PACKAGE"]]
  }
}
