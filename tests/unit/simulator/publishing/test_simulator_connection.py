import pytest

from simulator.errors import InvalidConnection
from simulator.publishing.connection import ProducerSettings

GOOD = "Endpoint=sb://bank.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey=s3cr+t="


def test_an_argument_wins_over_the_setting() -> None:
    other = GOOD.replace("bank", "shop")
    settings = ProducerSettings.of({"EventHubConnection": GOOD}, connection_string=other)
    assert settings.address == "shop.servicebus.windows.net"


def test_the_event_hub_is_the_one_named_else_the_entity_path_else_payments() -> None:
    with_path = f"{GOOD};EntityPath=other"
    assert ProducerSettings.of({}, connection_string=GOOD).event_hub == "payments"
    assert ProducerSettings.of({}, connection_string=with_path).event_hub == "other"
    named = ProducerSettings.of({}, connection_string=with_path, event_hub="mine")
    assert named.event_hub == "mine"


def test_an_identity_takes_the_place_of_a_connection_string() -> None:
    settings = ProducerSettings.of(
        {
            "EventHubConnection__fullyQualifiedNamespace": "bank.servicebus.windows.net",
            "EventHubConnection__credential": "managedidentity",
            "EventHubConnection__clientId": "1234",
        }
    )
    assert settings.connection_string is None
    assert settings.address == "bank.servicebus.windows.net"
    assert (settings.managed_identity, settings.client_id) == (True, "1234")


def test_without_any_setting_the_error_names_them_all() -> None:
    with pytest.raises(InvalidConnection, match="EventHubConnection__fullyQualifiedNamespace"):
        ProducerSettings.of({})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("s3cr+t", "part without a value"),
        ("SharedAccessKeyName=send;SharedAccessKey=s3cr+t", "no Endpoint"),
        (GOOD.replace("sb://", "https://"), "does not begin with sb://HOST"),
        (GOOD.replace("SharedAccessKeyName=send;", ""), "no SharedAccessKeyName"),
        (GOOD.partition(";SharedAccessKey=")[0], "no SharedAccessKey;"),
    ],
)
def test_a_wrong_connection_string_is_explained_without_its_key(text: str, complaint: str) -> None:
    with pytest.raises(InvalidConnection, match=complaint) as caught:
        ProducerSettings.of({}, connection_string=text)
    assert "s3cr+t" not in str(caught.value)


def test_a_shared_access_signature_needs_no_key() -> None:
    text = "Endpoint=sb://bank.example/;SharedAccessSignature=SharedAccessSignature sr=x&sig=y"
    settings = ProducerSettings.of({}, connection_string=text)
    assert settings.without_secrets("sent SharedAccessSignature sr=x&sig=y") == "sent ***"


def test_the_key_is_neither_in_the_representation_nor_in_cleaned_text() -> None:
    settings = ProducerSettings.of({}, connection_string=GOOD)
    assert "s3cr+t" not in repr(settings)
    assert settings.without_secrets("bad key s3cr+t= given") == "bad key *** given"


def test_an_emulator_and_a_signature_are_recognised() -> None:
    assert not ProducerSettings.of({}, connection_string=GOOD).emulated
    assert ProducerSettings.of({}, connection_string=f"{GOOD};UseDevelopmentEmulator=true").emulated
    assert not ProducerSettings.of({}, connection_string=GOOD).signed_beforehand
    text = "Endpoint=sb://bank.example/;SharedAccessSignature=x"
    assert ProducerSettings.of({}, connection_string=text).signed_beforehand
    identity = ProducerSettings(fully_qualified_namespace="bank.example")
    assert (identity.emulated, identity.signed_beforehand) == (False, False)
    assert identity.where == "event hub 'payments' at bank.example"
