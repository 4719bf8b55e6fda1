locals {
  # A plan may use one address for each instance and twice as many while it scales or is patched: a
  # /24 is enough for 100. Ranges are carved so that no subnet moves when another grows.
  subnets = {
    functions = {
      prefix            = cidrsubnet(var.address_space, 2, 0)
      delegation        = var.plan == "flex_consumption" ? "Microsoft.App/environments" : "Microsoft.Web/serverFarms"
      actions           = var.plan == "flex_consumption" ? ["Microsoft.Network/virtualNetworks/subnets/join/action"] : ["Microsoft.Network/virtualNetworks/subnets/action"]
      service_endpoints = []
    }
    endpoints = {
      prefix            = cidrsubnet(var.address_space, 4, 4)
      delegation        = null
      actions           = null
      service_endpoints = []
    }
    runners = {
      prefix     = cidrsubnet(var.address_space, 4, 5)
      delegation = "GitHub.Network/networkSettings"
      actions    = ["Microsoft.Network/virtualNetworks/subnets/join/action"]
      # By this the function app's deployment endpoint tells the subnet from the Internet.
      service_endpoints = ["Microsoft.Web"]
    }
    database = {
      prefix            = cidrsubnet(var.address_space, 6, 24)
      delegation        = "Microsoft.DBforPostgreSQL/flexibleServers"
      actions           = ["Microsoft.Network/virtualNetworks/subnets/join/action"]
      service_endpoints = []
    }
  }

  clients = [local.subnets.functions.prefix, local.subnets.runners.prefix]

  # What may come in; all else from the network is refused, since Azure's own rule lets every subnet
  # talk to every other.
  inbound = {
    functions = {}
    runners   = {}
    endpoints = {
      https = { sources = local.clients, ports = ["443"] }
      amqp  = { sources = local.clients, ports = ["5671-5672"] }
    }
    database = {
      clients = { sources = local.clients, ports = ["5432", "6432"] }
      # A standby replicates within the subnet.
      replication = { sources = [local.subnets.database.prefix], ports = ["5432"] }
    }
  }

  private_zones = {
    blob       = "privatelink.blob.core.windows.net"
    queue      = "privatelink.queue.core.windows.net"
    table      = "privatelink.table.core.windows.net"
    vault      = "privatelink.vaultcore.azure.net"
    namespace  = "privatelink.servicebus.windows.net"
    postgresql = "${var.names.postgresql}.private.postgres.database.azure.com"
  }
}

resource "azurerm_virtual_network" "this" {
  name                = var.names.virtual_network
  resource_group_name = var.resource_group_name
  location            = var.location
  address_space       = [var.address_space]
  tags                = var.tags
}

resource "azurerm_subnet" "this" {
  for_each = local.subnets

  name                              = "snet-${each.key}"
  resource_group_name               = var.resource_group_name
  virtual_network_name              = azurerm_virtual_network.this.name
  address_prefixes                  = [each.value.prefix]
  service_endpoints                 = each.value.service_endpoints
  private_endpoint_network_policies = "NetworkSecurityGroupEnabled"
  # Azure's unnamed way out is going away, and its address is nobody's: the gateway below has one.
  default_outbound_access_enabled = false

  dynamic "delegation" {
    for_each = each.value.delegation[*]

    content {
      name = "service"

      service_delegation {
        name    = delegation.value
        actions = each.value.actions
      }
    }
  }
}

resource "azurerm_network_security_group" "this" {
  for_each = local.inbound

  name                = "nsg-${var.names.virtual_network}-${each.key}"
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags

  dynamic "security_rule" {
    for_each = each.value

    content {
      name                       = "allow-${security_rule.key}"
      priority                   = 100 + 10 * index(keys(each.value), security_rule.key)
      direction                  = "Inbound"
      access                     = "Allow"
      protocol                   = "Tcp"
      source_port_range          = "*"
      source_address_prefixes    = security_rule.value.sources
      destination_port_ranges    = security_rule.value.ports
      destination_address_prefix = local.subnets[each.key].prefix
    }
  }

  security_rule {
    name                       = "deny-network"
    priority                   = 4000
    direction                  = "Inbound"
    access                     = "Deny"
    protocol                   = "*"
    source_port_range          = "*"
    source_address_prefix      = "VirtualNetwork"
    destination_port_range     = "*"
    destination_address_prefix = "*"
  }
}

resource "azurerm_subnet_network_security_group_association" "this" {
  for_each = local.subnets

  subnet_id                 = azurerm_subnet.this[each.key].id
  network_security_group_id = azurerm_network_security_group.this[each.key].id
}

# One address by which partners know the functions and the runners.
resource "azurerm_public_ip" "outbound" {
  name                = var.names.public_ip
  resource_group_name = var.resource_group_name
  location            = var.location
  allocation_method   = "Static"
  sku                 = "Standard"
  tags                = var.tags
}

resource "azurerm_nat_gateway" "this" {
  name                = var.names.nat_gateway
  resource_group_name = var.resource_group_name
  location            = var.location
  sku_name            = "Standard"
  tags                = var.tags
}

resource "azurerm_nat_gateway_public_ip_association" "this" {
  nat_gateway_id       = azurerm_nat_gateway.this.id
  public_ip_address_id = azurerm_public_ip.outbound.id
}

resource "azurerm_subnet_nat_gateway_association" "this" {
  for_each = toset(["functions", "runners"])

  subnet_id      = azurerm_subnet.this[each.key].id
  nat_gateway_id = azurerm_nat_gateway.this.id
}

resource "azurerm_private_dns_zone" "this" {
  for_each = local.private_zones

  name                = each.value
  resource_group_name = var.resource_group_name
  tags                = var.tags
}

resource "azurerm_private_dns_zone_virtual_network_link" "this" {
  for_each = azurerm_private_dns_zone.this

  name                  = each.key
  resource_group_name   = var.resource_group_name
  private_dns_zone_name = each.value.name
  virtual_network_id    = azurerm_virtual_network.this.id
  tags                  = var.tags
}

# The provider has no resource of this kind. Its tag GitHubId, which the service sets, so that the
# template sets none, is what GitHub asks for when the network configuration is made there
# (terraform/README.md).
resource "azurerm_resource_group_template_deployment" "github_network" {
  count = var.github_database_id == null ? 0 : 1

  name                = var.names.github_network
  resource_group_name = var.resource_group_name
  deployment_mode     = "Incremental"
  tags                = var.tags

  template_content = jsonencode({
    "$schema"      = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    contentVersion = "1.0.0.0"
    resources = [{
      type       = "GitHub.Network/networkSettings"
      apiVersion = "2024-04-02"
      name       = var.names.github_network
      location   = var.location
      properties = {
        subnetId   = azurerm_subnet.this["runners"].id
        businessId = var.github_database_id
      }
    }]
    outputs = {
      gitHubId = {
        type  = "string"
        value = "[reference(resourceId('GitHub.Network/networkSettings', '${var.names.github_network}'), '2024-04-02', 'full').tags.GitHubId]"
      }
    }
  })

  depends_on = [
    azurerm_subnet_nat_gateway_association.this,
    azurerm_subnet_network_security_group_association.this,
  ]
}
