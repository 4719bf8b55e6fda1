# Needs no provider: `terraform test` runs it anywhere.
variables {
  organization = "acme"
  workload     = "payments"
  environment  = "production"
  location     = "westeurope"
  owner        = "payments-platform@example.com"
  cost_center  = "cc-payments"
}

run "names_tell_who_what_which_environment_and_where" {
  assert {
    condition     = output.names.function_app == "func-acme-payments-prd-weu"
    error_message = "expected func-acme-payments-prd-weu, found ${output.names.function_app}"
  }
}

run "every_resource_carries_the_mandatory_tags" {
  assert {
    condition     = output.tags == { cost_center = "cc-payments", data_classification = "confidential", environment = "production", managed_by = "terraform", owner = "payments-platform@example.com", workload = "payments" }
    error_message = "found other tags: ${jsonencode(output.tags)}"
  }
}

run "no_two_resources_share_a_name" {
  assert {
    condition     = length(distinct(values(output.names))) == length(output.names)
    error_message = "two of ${jsonencode(values(output.names))} are alike"
  }
}

run "the_longest_names_are_short_enough_for_azure" {
  variables {
    organization = "abcde"
    workload     = "abcdefgh"
  }

  assert {
    condition     = alltrue([for key, name in output.names : length(name) <= 24 if startswith(key, "storage_") || key == "key_vault"])
    error_message = "an account or the vault has more than 24 characters: ${jsonencode(output.names)}"
  }

  assert {
    condition     = alltrue([for key, name in output.names : can(regex("^[a-z0-9]+$", name)) if startswith(key, "storage_")])
    error_message = "an account's name has other characters than lower-case letters and digits: ${jsonencode(output.names)}"
  }

  assert {
    condition     = length(output.names.function_app) <= 32
    error_message = "the Functions host cuts its id from the first 32 characters of ${output.names.function_app}"
  }
}

run "an_unknown_environment_is_refused" {
  command = plan

  variables {
    environment = "test"
  }

  expect_failures = [var.environment]
}

run "a_region_without_abbreviation_is_refused" {
  command = plan

  variables {
    location = "westus"
  }

  expect_failures = [var.location]
}

run "an_organization_too_long_for_storage_accounts_is_refused" {
  command = plan

  variables {
    organization = "abcdef"
  }

  expect_failures = [var.organization]
}

run "an_owner_who_cannot_be_written_to_is_refused" {
  command = plan

  variables {
    owner = "somebody"
  }

  expect_failures = [var.owner]
}
