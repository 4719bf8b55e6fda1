"""Lets Event Grid tell ReloadRules of uploads; without a subscription it is never called."""

import tempfile
from pathlib import Path
from typing import Final

from deploy.targets.az import az
from deploy.targets.azure import AzureTarget

_FUNCTION: Final = "ReloadRules"
_CREATED: Final = "Microsoft.Storage.BlobCreated"


def endpoint(host_name: str, key: str) -> str:
    """Return where the Functions host takes events for the blob trigger; it holds a secret."""
    return (
        f"https://{host_name}/runtime/webhooks/blobs"
        f"?functionName=Host.Functions.{_FUNCTION}&code={key}"
    )


def subscribe(target: AzureTarget, group: str, topic: str, container: str) -> str:
    """Make the subscription of rule uploads, or bring it up to date; return its name.

    Args:
        target: the function app, whose code is there already.
        group: resource group of the topic.
        topic: system topic of the storage account of rules.
        container: of rules.

    Raises:
        ToolFailed: Azure refused.
        DeployError: the app has no key yet.
    """
    name = f"{_FUNCTION.lower()}-{container}"
    address = endpoint(target.host_name(), target.blobs_extension_key())
    with tempfile.TemporaryDirectory() as folder:
        # Arguments are seen by every process of the machine; files of this folder by no one else.
        file = Path(folder) / "endpoint"
        file.write_text(address, encoding="utf-8")
        az(
            *("eventgrid", "system-topic", "event-subscription", "create", "--name", name),
            *("--resource-group", group, "--system-topic-name", topic),
            *("--endpoint-type", "webhook", "--endpoint", f"@{file}"),
            *("--included-event-types", _CREATED),
            *("--subject-begins-with", subject(container)),
        )
    return name


def subject(container: str) -> str:
    """Return how the subjects of uploads begin."""
    return f"/blobServices/default/containers/{container}/blobs/incoming/"
