"""What the SDK raises where no local endpoint can make it do so."""

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.eventhub.exceptions import AuthenticationError, ConnectError
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

from simulator.connection import ProducerSettings
from simulator.errors import EventHubsRefused, EventHubsUnreachable, InvalidConnection
from simulator.publisher import _credential, _named_failures, _Tally, publish

KEY = "a-secret-not-to-be-shown"
SETTINGS = ProducerSettings.of(
    {},
    connection_string=f"Endpoint=sb://bank.example/;SharedAccessKeyName=a;SharedAccessKey={KEY}",
)


@pytest.mark.parametrize(
    ("raised", "expected", "text"),
    [
        (AuthenticationError(f"put-token failed for {KEY}"), EventHubsRefused, "the right to send"),
        (ConnectError(f"{KEY}\nlong story"), EventHubsUnreachable, "cannot reach"),
        (ConnectError("amqp:not-found"), EventHubsRefused, "there is no event hub 'payments'"),
        (ClientAuthenticationError(f"no token {KEY}\nlong"), EventHubsRefused, "sign in"),
    ],
)
def test_failures_say_what_to_do_in_one_line_without_the_key(
    raised: Exception, expected: type[Exception], text: str
) -> None:
    with pytest.raises(expected, match=text) as caught, _named_failures(SETTINGS, _Tally()):
        raise raised
    assert KEY not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_only_the_sdk_dislikes_is_a_wrong_connection_string_too() -> None:
    text = f"Endpoint=sb://bank.example/;SharedAccessKey={KEY};SharedAccessSignature=x"
    settings = ProducerSettings.of({}, connection_string=text)
    with pytest.raises(InvalidConnection, match="the SDK refuses") as caught:
        publish([], settings)
    assert KEY not in str(caught.value)


def test_a_managed_identity_is_used_alone_and_else_whatever_is_signed_in() -> None:
    namespace = "bank.example"
    managed = ProducerSettings(
        fully_qualified_namespace=namespace, managed_identity=True, client_id="1234"
    )
    anyone = ProducerSettings(fully_qualified_namespace=namespace)
    for settings, kind in ((managed, ManagedIdentityCredential), (anyone, DefaultAzureCredential)):
        credential = _credential(settings)
        assert isinstance(credential, kind)
        credential.close()
