output "identities" {
  description = "Of each identity, by its role: id, client_id, principal_id and name."
  value = {
    for role, identity in azurerm_user_assigned_identity.this : role => {
      id           = identity.id
      client_id    = identity.client_id
      principal_id = identity.principal_id
      name         = identity.name
    }
  }
}
