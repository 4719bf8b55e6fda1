# Ingestion stays open to the Internet, for who shows an Entra token: a private link scope holds for the
# whole network and everything that is ever peered with it.
resource "azurerm_log_analytics_workspace" "this" {
  name                         = var.names.log_analytics
  resource_group_name          = var.resource_group_name
  location                     = var.location
  sku                          = "PerGB2018"
  retention_in_days            = var.retention_days
  daily_quota_gb               = var.daily_quota_gb
  local_authentication_enabled = false
  tags                         = var.tags
}

resource "azurerm_application_insights" "this" {
  for_each = merge(
    { app = var.names.app_insights },
    var.smoke_insights ? { smoke = "${var.names.app_insights}-smoke" } : {},
  )

  name                          = each.value
  resource_group_name           = var.resource_group_name
  location                      = var.location
  application_type              = "web"
  workspace_id                  = azurerm_log_analytics_workspace.this.id
  retention_in_days             = var.retention_days
  local_authentication_disabled = true
  # The host samples (host.json); twice would be a guess of a guess.
  sampling_percentage = 100
  tags                = var.tags
}

resource "azurerm_monitor_action_group" "this" {
  name                = var.names.action_group
  resource_group_name = var.resource_group_name
  short_name          = "payments"
  tags                = var.tags

  dynamic "email_receiver" {
    for_each = var.mail_addresses

    content {
      name                    = email_receiver.key
      email_address           = email_receiver.value
      use_common_alert_schema = true
    }
  }
}
