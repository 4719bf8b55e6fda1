# The environments differ by terraform.tfvars and by the place of their state alone: the other files of
# staging and production are links to these.
module "stack" {
  source = "../../modules/stack"

  organization           = var.organization
  environment            = var.environment
  location               = var.location
  owner                  = var.owner
  cost_center            = var.cost_center
  address_space          = var.address_space
  github                 = var.github
  operators              = var.operators
  producers              = var.producers
  plan                   = var.plan
  elastic_premium        = var.elastic_premium
  flex_consumption       = var.flex_consumption
  allowed_address_ranges = var.allowed_address_ranges
  event_hub              = var.event_hub
  database               = var.database
  storage                = var.storage
  pipeline               = var.pipeline
  monitoring             = var.monitoring
  deletion_lock          = var.deletion_lock
}
