# No slots: a rollback deploys the package before the last one, which the container keeps.
resource "azurerm_function_app_flex_consumption" "this" {
  count = local.is_premium ? 0 : 1

  name                = var.names.function_app
  resource_group_name = var.resource_group_name
  location            = var.location
  service_plan_id     = azurerm_service_plan.this.id

  runtime_name                                   = "python"
  runtime_version                                = "3.13"
  instance_memory_in_mb                          = var.flex_consumption.instance_memory_mb
  maximum_instance_count                         = var.flex_consumption.maximum_instances
  storage_container_type                         = "blobContainer"
  storage_container_endpoint                     = var.package_container_uri
  storage_authentication_type                    = "UserAssignedIdentity"
  storage_user_assigned_identity_id              = var.identity.id
  https_only                                     = true
  webdeploy_publish_basic_authentication_enabled = false
  public_network_access_enabled                  = true
  virtual_network_subnet_id                      = var.subnet_id
  app_settings                                   = merge(local.app_settings, local.flex_settings)
  tags                                           = var.tags

  dynamic "always_ready" {
    for_each = var.flex_consumption.always_ready

    content {
      name           = "function:${always_ready.key}"
      instance_count = always_ready.value
    }
  }

  # This resource cannot say which identity reads the vault, and so the app's own does.
  identity {
    type         = "SystemAssigned, UserAssigned"
    identity_ids = [var.identity.id]
  }

  # All its traffic goes through the network, so that there is no vnet_route_all_enabled here.
  site_config {
    minimum_tls_version               = "1.2"
    scm_minimum_tls_version           = "1.2"
    http2_enabled                     = true
    ip_restriction_default_action     = "Deny"
    scm_ip_restriction_default_action = "Deny"

    application_insights_connection_string = var.telemetry.connection_string

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
}
