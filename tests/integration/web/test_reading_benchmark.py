"""The reading benchmark times what was answered with rows, and takes nothing else for an answer."""

import pytest
from api_client import ApiClient
from payment_messages import NOW
from store_fixtures import Store

from bench.reading import answers
from bench.reading_requests import Asked
from shared_code.web.api.serving import JsonApi


@pytest.fixture(scope="module")
def api(shared_store: Store) -> JsonApi:
    return JsonApi(ApiClient(shared_store.reader_url, NOW).database)


def test_a_list_without_rows_measures_nothing(api: JsonApi) -> None:
    with pytest.raises(RuntimeError, match="alerts found 0 rows"):
        list(answers(api, Asked("alerts", "alerts"), NOW))


def test_a_filter_that_is_to_fit_nothing_is_timed(api: JsonApi) -> None:
    (seconds,) = answers(api, Asked("alerts", "alerts", found=False), NOW)
    assert seconds > 0


def test_a_request_that_is_refused_is_no_answer(api: JsonApi) -> None:
    with pytest.raises(RuntimeError, match="alerts was answered with 400"):
        list(answers(api, Asked("alerts", "alerts", (("limit", "many"),)), NOW))
