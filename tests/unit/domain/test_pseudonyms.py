import hmac

from unit.domain.payment_samples import CARD_NUMBERS

from shared_code.domain.pseudonyms import MIN_KEY_BYTES, Pseudonymiser

KEY = bytes(range(MIN_KEY_BYTES))
PSEUDONYMISER = Pseudonymiser(KEY)


def test_pseudonym_is_hmac_sha_256_of_kind_and_text_cut_to_128_bits() -> None:
    expected = hmac.new(KEY, b"card\x004111111111111111", "sha256").digest()[:16]
    assert PSEUDONYMISER.card_number("4111111111111111") == expected


def test_pseudonyms_are_pinned_so_that_no_release_changes_them_silently() -> None:
    assert PSEUDONYMISER.email("ada@example.com").hex() == "ab7633e9aa5fb26b48b11b6c9f0080f9"
    assert PSEUDONYMISER.card_number("4111111111111111").hex() == "4ccba6bae70bd097a5dd85cb5e0d9262"
    assert PSEUDONYMISER.identifier("4111111111111111").hex() == "d16195acd36da67542ff61fc1b440082"


def test_case_and_blanks_around_make_no_other_address() -> None:
    assert PSEUDONYMISER.email(" Ada@Example.COM ") == PSEUDONYMISER.email("ada@example.com")
    assert PSEUDONYMISER.email("ada@example.com") != PSEUDONYMISER.email("bob@example.com")


def test_identifiers_differ_by_case() -> None:
    assert PSEUDONYMISER.identifier("a") != PSEUDONYMISER.identifier("A")


def test_kinds_never_collide() -> None:
    number = CARD_NUMBERS["visa"]
    tags = {
        PSEUDONYMISER.email(number),
        PSEUDONYMISER.card_number(number),
        PSEUDONYMISER.identifier(number),
    }
    assert len(tags) == 3


def test_another_key_makes_other_pseudonyms() -> None:
    other = Pseudonymiser(KEY[::-1])
    assert other.email("ada@example.com") != PSEUDONYMISER.email("ada@example.com")


def test_half_a_surrogate_pair_has_a_pseudonym_too() -> None:
    assert len(PSEUDONYMISER.identifier("\ud83d")) == 16


def test_key_is_not_shown() -> None:
    assert repr(PSEUDONYMISER) == "Pseudonymiser(key=<secret>)"
    assert KEY.hex() not in repr(PSEUDONYMISER)
