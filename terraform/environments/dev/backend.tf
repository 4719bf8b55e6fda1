# A lease on the blob is the lock; versions of the blob are the way back (terraform/README.md).
terraform {
  backend "azurerm" {
    storage_account_name = "stacmetfstatedev"
    container_name       = "tfstate"
    key                  = "payments.tfstate"
    use_oidc             = true
    use_azuread_auth     = true
  }
}
