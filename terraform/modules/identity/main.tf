locals {
  credentials = merge([
    for role, identity in var.identities : {
      for name, subject in identity.federated_subjects : "${role}-${name}" => { role = role, name = name, subject = subject }
    }
  ]...)
}

resource "azurerm_user_assigned_identity" "this" {
  for_each = var.identities

  name                = each.value.name
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags
}

# Workflows get in by a token of their run: no secret is kept on either side.
resource "azurerm_federated_identity_credential" "github" {
  for_each = local.credentials

  name                = each.value.name
  resource_group_name = var.resource_group_name
  parent_id           = azurerm_user_assigned_identity.this[each.value.role].id
  issuer              = "https://token.actions.githubusercontent.com"
  audience            = ["api://AzureADTokenExchange"]
  subject             = each.value.subject
}
