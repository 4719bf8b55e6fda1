locals {
  # Queries of the functions' telemetry, by the sentences that the code logs: a test compares them.
  # Those of the host are not there, since the worker sends its own (docs/telemetry.md). Log records
  # are not sampled; of requests, which are, itemCount undoes it.
  log_alerts = {
    lag = {
      severity    = 1
      description = "Payments wait too long in Event Hubs: the oldest of a batch is old when the batch is stored, or could not be stored. A partition pauses while its batch is retried."
      query       = <<-KQL
        traces
        | where message has "enqueued at"
        | extend lag_seconds = todouble(extract(@", enqueued at \S+, (-?\d+\.\d) s ago", 1, message))
        | where isnotnull(lag_seconds)
        | project timestamp, lag_seconds
      KQL
      measure     = "lag_seconds"
      aggregation = "Maximum"
      operator    = "GreaterThan"
      threshold   = var.thresholds.lag_seconds
      window      = "PT5M"
    }

    failures = {
      severity    = 1
      description = "Functions fail. ProcessTransaction is retried without end, so that nothing is lost, and nothing goes on either."
      query       = <<-KQL
        union
            (traces | where message has "failed" | parse message with name " failed: " *),
            (requests | where success == false)
        | where name in ("ProcessTransaction", "AggregateMetrics", "ReloadRules")
        | summarize failures = sum(itemCount) by name, itemType
      KQL
      measure     = "failures"
      aggregation = "Maximum"
      operator    = "GreaterThan"
      threshold   = var.thresholds.failures
      window      = "PT5M"
    }

    rejected-share = {
      severity    = 2
      description = "More payments are refused than usual: a producer has changed what it sends. rejected_events has them with their reasons."
      query       = <<-KQL
        traces
        | where message has "payments stored"
        | parse message with * " messages: " stored:long " payments stored, " * " duplicates, " rejected:long " rejected, " *
        | summarize stored = sum(stored * itemCount), rejected = sum(rejected * itemCount)
        | where stored + rejected > 100
        | project rejected_percent = 100.0 * rejected / (stored + rejected)
      KQL
      measure     = "rejected_percent"
      aggregation = "Maximum"
      operator    = "GreaterThan"
      threshold   = var.thresholds.rejected_percent
      window      = "PT15M"
    }

    unclosed-windows = {
      severity    = 1
      description = "No tick of AggregateMetrics has succeeded for 15 minutes: windows that ended stay open."
      query       = <<-KQL
        traces
        | where message has "windows closed"
      KQL
      measure     = null
      aggregation = "Count"
      operator    = "LessThan"
      threshold   = 1
      window      = "PT15M"
    }

    partitions-ahead = {
      severity    = 1
      description = "Fewer days ahead than seven can take payments: when they are used up, payments wait."
      query       = <<-KQL
        traces
        | where message startswith "payments can be stored for"
      KQL
      measure     = null
      aggregation = "Count"
      operator    = "GreaterThan"
      threshold   = 0
      window      = "PT15M"
    }

    drift = {
      severity    = 0
      description = "Counters of a window differ from its payments: a defect."
      query       = <<-KQL
        traces
        | where message startswith "counters differ from payments"
      KQL
      measure     = null
      aggregation = "Count"
      operator    = "GreaterThan"
      threshold   = 0
      window      = "PT15M"
    }

    refused-rules = {
      severity    = 3
      description = "An uploaded rules file was refused; rejected/ holds it with every mistake. The old rules stay active."
      query       = <<-KQL
        traces
        | where message startswith "rules file" and message has "refused with"
      KQL
      measure     = null
      aggregation = "Count"
      operator    = "GreaterThan"
      threshold   = 0
      window      = "PT15M"
    }
  }
}

resource "azurerm_monitor_scheduled_query_rules_alert_v2" "functions" {
  for_each = local.log_alerts

  name                    = "alert-${each.key}"
  resource_group_name     = var.resource_group_name
  location                = var.location
  scopes                  = [azurerm_application_insights.this["app"].id]
  severity                = each.value.severity
  description             = each.value.description
  evaluation_frequency    = "PT5M"
  window_duration         = each.value.window
  auto_mitigation_enabled = true
  tags                    = var.tags

  criteria {
    query                   = each.value.query
    time_aggregation_method = each.value.aggregation
    metric_measure_column   = each.value.measure
    operator                = each.value.operator
    threshold               = each.value.threshold
  }

  action {
    action_groups = [azurerm_monitor_action_group.this.id]
  }
}

# Nothing is logged by functions that do not run: what comes in and what goes out tells, too.
resource "azurerm_monitor_scheduled_query_rules_alert_v2" "unread" {
  name                    = "alert-unread"
  resource_group_name     = var.resource_group_name
  location                = var.location
  scopes                  = [azurerm_log_analytics_workspace.this.id]
  severity                = 1
  description             = "Event Hubs takes at least twice as many messages as are read: the functions do not run, or far too slowly."
  evaluation_frequency    = "PT5M"
  window_duration         = "PT15M"
  auto_mitigation_enabled = true
  tags                    = var.tags

  criteria {
    query                   = <<-KQL
      AzureMetrics
      | where ResourceId =~ "${var.event_hub_namespace_id}"
      | summarize
          received = sumif(Total, MetricName == "IncomingMessages"),
          read = sumif(Total, MetricName == "OutgoingMessages")
      | where received > 0 and read < 0.5 * received
    KQL
    time_aggregation_method = "Count"
    operator                = "GreaterThan"
    threshold               = 0
  }

  action {
    action_groups = [azurerm_monitor_action_group.this.id]
  }
}
