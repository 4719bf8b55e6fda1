locals {
  is_premium = var.plan == "elastic_premium"

  connections = ["AzureWebJobsStorage", "EventHubConnection", "RulesStorage"]

  # What both the app and its slot have, with the same value.
  shared_settings = {
    EventHubConnection__fullyQualifiedNamespace = var.event_hubs.host_name
    EVENT_HUB_CONSUMER_GROUP                    = var.event_hubs.consumer_group
    RulesStorage__blobServiceUri                = var.rules_storage.blob_uri
    RulesStorage__queueServiceUri               = var.rules_storage.queue_uri
    RULES_CONTAINER                             = var.rules_storage.container
    DATABASE_HOST                               = var.database.host
    # The settings have no port of their own; libpq takes it from here. It is PgBouncer's.
    PGPORT                             = tostring(var.database.port)
    DATABASE_POOL_SIZE                 = tostring(var.pipeline.database_pool_size)
    DATABASE_STATEMENT_TIMEOUT_SECONDS = tostring(var.pipeline.database_statement_timeout_seconds)
    RETENTION_DAYS                     = tostring(var.pipeline.retention_days)
    ALLOWED_LATENESS_MINUTES           = tostring(var.pipeline.allowed_lateness_minutes)
    FOLD_INTERVAL_MILLISECONDS         = tostring(var.pipeline.fold_interval_milliseconds)
    # By name, without a version and without reading it here: the key never enters the state.
    PII_HASH_KEY                                = "@Microsoft.KeyVault(SecretUri=${var.key_vault_uri}secrets/pii-hash-key)"
    PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY = tostring(var.worker_telemetry)
    # All that the worker would wrap by itself: each statement of each batch would be a span.
    OTEL_PYTHON_DISABLED_INSTRUMENTATIONS = "azure_sdk,django,fastapi,flask,httpx,httpx2,psycopg2,requests,urllib,urllib3"
  }

  # Who the app is, for each connection. A user-assigned identity has to be named everywhere.
  identity_settings = merge(
    { for connection in local.connections : "${connection}__credential" => "managedidentity" },
    { for connection in local.connections : "${connection}__clientId" => var.identity.client_id },
    {
      DATABASE_USER                             = var.identity.name
      DATABASE_CLIENT_ID                        = var.identity.client_id
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING = "ClientId=${var.identity.client_id};Authorization=AAD"
    },
  )

  app_settings = merge(local.shared_settings, local.identity_settings, {
    EVENT_HUB_NAME = var.event_hubs.hub
    DATABASE_NAME  = var.database.name
  })

  premium_settings = {
    WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID = var.identity.id
  }

  # Flex Consumption takes the storage of the host as app settings; for Premium it is an argument. The
  # empty one keeps the provider from writing a connection string without a key, which the host would
  # prefer (hashicorp/terraform-provider-azurerm#29149). The provider does not read it back, so that
  # every plan of Flex Consumption sets it again.
  flex_settings = {
    AzureWebJobsStorage              = ""
    AzureWebJobsStorage__accountName = var.host_storage_name
  }

  # Only the function that the smoke test looks at runs in the slot: the timer would close windows
  # twice, and uploaded rules would be activated by whoever sees them first.
  slot_disabled = {
    "AzureWebJobs.AggregateMetrics.Disabled" = "true"
    "AzureWebJobs.ReloadRules.Disabled"      = "true"
  }

  slot_identity_settings = var.slot_identity == null ? {} : merge(
    { for connection in local.connections : "${connection}__credential" => "managedidentity" },
    { for connection in local.connections : "${connection}__clientId" => var.slot_identity.client_id },
    {
      DATABASE_USER                                = var.slot_identity.name
      DATABASE_CLIENT_ID                           = var.slot_identity.client_id
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING    = "ClientId=${var.slot_identity.client_id};Authorization=AAD"
      WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID = var.slot_identity.id
    },
  )

  slot_settings = merge(local.shared_settings, local.slot_identity_settings, local.slot_disabled, {
    EVENT_HUB_NAME = var.event_hubs.smoke_hub
    DATABASE_NAME  = var.database.smoke_name
  })

  # All in which the two differ stays where it is when they are swapped, but the package, which is
  # what a swap is for.
  sticky_settings = sort(concat(
    [for connection in local.connections : "${connection}__clientId"],
    keys(local.slot_disabled),
    [
      "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
      "APPLICATIONINSIGHTS_CONNECTION_STRING",
      "DATABASE_CLIENT_ID",
      "DATABASE_NAME",
      "DATABASE_USER",
      "EVENT_HUB_NAME",
      "WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID",
    ],
  ))
}
