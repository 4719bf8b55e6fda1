"""What the SDK raises where no local endpoint can make it do so."""

from dataclasses import replace

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.eventhub.exceptions import AuthenticationError, ConnectError, EventHubError
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

from simulator.errors import EventHubsRefused, EventHubsUnreachable, InvalidConnection
from simulator.publishing import event_hubs
from simulator.publishing.connection import ProducerSettings
from simulator.publishing.event_hubs import EventHubsPublisher
from simulator.publishing.event_hubs_faults import Remedy, diagnose
from simulator.publishing.identity import credential_of

KEY = "a-secret-not-to-be-shown"
SETTINGS = ProducerSettings.of(
    {},
    connection_string=f"Endpoint=sb://bank.example/;SharedAccessKeyName=a;SharedAccessKey={KEY}",
)
SIGNED = replace(
    SETTINGS,
    connection_string="Endpoint=sb://bank.example/;"
    f"SharedAccessSignature=SharedAccessSignature {KEY}",
)


def of_condition(condition: str) -> EventHubError:
    error = ConnectError(f"{KEY} happened")
    error.error = condition
    return error


@pytest.mark.parametrize(
    ("raised", "remedy", "text"),
    [
        (AuthenticationError(f"for {KEY}\nStatus code: 401"), Remedy.NONE, "the right to send"),
        (AuthenticationError("CBS\nStatus code: 403"), Remedy.NONE, "the right to send"),
        (AuthenticationError("CBS\nStatus code: 500"), Remedy.RECONNECT, "cannot reach"),
        (AuthenticationError("Authorization timeout."), Remedy.RECONNECT, "cannot reach"),
        (AuthenticationError("401\nExpiredToken"), Remedy.RECONNECT, "this machine's clock"),
        (ConnectError(f"{KEY}\nlong story"), Remedy.RECONNECT, "cannot reach"),
        (ConnectError("amqp:not-found"), Remedy.NONE, "there is no event hub 'payments'"),
        (of_condition("resource-deleted"), Remedy.NONE, "there is no event hub 'payments'"),
        (of_condition("server-busy"), Remedy.WAIT, "throttling"),
        (of_condition("link:message-size-exceeded"), Remedy.NONE, "as large as this one"),
        (of_condition("unauthorized-access"), Remedy.NONE, "the right to send"),
        (of_condition("entity-disabled"), Remedy.NONE, "refuses: entity-disabled"),
        (of_condition("timeout"), Remedy.RECONNECT, "cannot reach"),
        (ClientAuthenticationError(f"no token {KEY}\nlong"), Remedy.NONE, "sign in"),
    ],
)
def test_failures_say_what_to_do_in_one_line_without_the_key(
    raised: EventHubError | ClientAuthenticationError, remedy: Remedy, text: str
) -> None:
    fault = diagnose(raised, SETTINGS)
    assert fault.remedy is remedy
    assert text in str(fault.error)
    assert KEY not in str(fault.error)
    assert "\n" not in str(fault.error)
    expected = EventHubsRefused if remedy is Remedy.NONE else EventHubsUnreachable
    assert type(fault.error) is expected


def test_a_signature_that_has_expired_cannot_be_renewed() -> None:
    fault = diagnose(AuthenticationError("401\nExpiredToken"), SIGNED)
    assert fault.remedy is Remedy.NONE
    assert "signature in the connection string" in str(fault.error)
    assert KEY not in str(fault.error)


def test_a_missing_identity_is_found_behind_what_the_sdk_makes_of_it() -> None:
    error = EventHubError("something")
    error.__context__ = ClientAuthenticationError("please run 'az login'")
    fault = diagnose(error, SETTINGS)
    assert fault.remedy is Remedy.NONE
    assert "no identity to present" in str(fault.error)
    assert "az login" in str(fault.error)


def test_what_only_the_sdk_dislikes_is_a_wrong_connection_string_too() -> None:
    text = f"Endpoint=sb://bank.example/;SharedAccessKey={KEY};SharedAccessSignature=x"
    settings = ProducerSettings.of({}, connection_string=text)
    with (
        pytest.raises(InvalidConnection, match="the SDK refuses") as caught,
        EventHubsPublisher(settings),
    ):
        pass
    assert KEY not in str(caught.value)


def test_a_managed_identity_is_used_alone_and_else_whatever_is_signed_in() -> None:
    namespace = "bank.example"
    managed = ProducerSettings(
        fully_qualified_namespace=namespace, managed_identity=True, client_id="1234"
    )
    anyone = ProducerSettings(fully_qualified_namespace=namespace)
    for settings, kind in ((managed, ManagedIdentityCredential), (anyone, DefaultAzureCredential)):
        credential = credential_of(settings)
        assert isinstance(credential, kind)
        credential.close()


def test_an_identity_connects_to_the_namespace_and_retrying_is_not_left_to_the_sdk() -> None:
    client = event_hubs._connect(ProducerSettings(fully_qualified_namespace="bank.example"))
    assert client._address.hostname == "bank.example"
    assert client._config.max_retries == 0
    assert client._config.backoff_factor == 0
    client.close()
