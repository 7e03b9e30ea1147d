"""What openapi.json says holds for whatever schemathesis makes of it: statuses, kinds, schemas and headers."""

import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from live_server import Live

schemathesis = pytest.importorskip("schemathesis")
from schemathesis.checks import CHECKS, load_all_checks  # noqa: E402

# A file of random bytes is refused although it is a file, and fields that another model knows are ignored.
NOT_ASKED = ("negative_data_rejection", "positive_data_acceptance")


@pytest.fixture
def server(serve: Callable[..., Live]) -> Live:
    started = serve()
    while started.client.get("/api/ready").status_code != 200:
        time.sleep(0.05)
    return started


def test_answers_are_as_described(server: Live) -> None:
    load_all_checks()
    checks = [CHECKS.get_one(name) for name in CHECKS.get_all_names() if name not in NOT_ASKED]
    schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{server.port}/openapi.json")
    job = server.send().json()["id"]
    server.finish(job)
    found = [each.ok() for each in schema.get_all_operations()]
    assert len(found) > 20
    for operation in found:

        @settings(max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def answers(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=checks)
            if "name" in case.path_parameters:  # and of a job that there is
                case.path_parameters["name"] = job
                case.call_and_validate(checks=checks)

        answers()


def test_every_route_names_its_errors_and_a_job_leads_to_its_result(server: Live) -> None:
    described = server.client.get("/openapi.json").json()
    names = {each["operationId"] for methods in described["paths"].values() for each in methods.values()}
    for methods in described["paths"].values():
        for operation in methods.values():
            assert {"401", "429", "500"} < operation["responses"].keys()
            answers = operation["responses"].get("200", {}).get("content", {})
            if "requestBody" in operation and "image/png" in answers:  # a job that is waited for
                assert {"409", "410", "501", "504"} < operation["responses"].keys()
                assert all(kind.startswith("image/") for kind in answers)
    links = described["paths"]["/api/jobs"]["post"]["responses"]["202"]["links"]
    assert {link["operationId"] for link in links.values()} < names and "result" in links
