# The account is given at init: -backend-config=storage_account_name=... . A blob's lease is the lock.
terraform {
  backend "azurerm" {
    container_name   = "tfstate"
    key              = "payments/staging.tfstate"
    use_oidc         = true
    use_azuread_auth = true
  }
}
