from pathlib import Path

import pytest

from cdk_streams.local import _local_aws as module
from cdk_streams.local._local_aws import LocalAws, LocalAwsError, client, environment, local_aws

USERS_OWN = {
    "AWS_PROFILE": "production",
    "AWS_SESSION_TOKEN": "theirs",
    "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/admin",
    "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1",
    "AWS_CONFIG_FILE": "theirs",
    "CDK_DEFAULT_ACCOUNT": "111122223333",
    "HTTPS_PROXY": "http://proxy.invalid",
    "https_proxy": "http://proxy.invalid",
    "HOME": "/nonexistent/someone",
    "PATH": "/usr/bin",
}


@pytest.fixture
def aws(tmp_path: Path) -> LocalAws:
    return LocalAws("http://127.0.0.1:40561", tmp_path)


def test_nothing_of_the_users_aws_set_up_reaches_a_process(aws: LocalAws) -> None:
    variables = environment(aws, USERS_OWN)
    shared = {name for name, value in variables.items() if USERS_OWN.get(name) == value}
    assert shared == {"HOME", "PATH"}
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN"} & variables.keys()


def test_a_process_is_led_to_the_local_aws(aws: LocalAws) -> None:
    variables = environment(aws, {})
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:40561"
    assert variables["AWS_ACCESS_KEY_ID"] == aws.access_key_id
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == "us-east-1"


def test_files_the_sdks_look_for_do_not_exist(aws: LocalAws) -> None:
    variables = environment(aws, {})
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        assert not Path(variables[name]).exists()


def test_the_cdk_commands_caches_go_with_the_folder(aws: LocalAws) -> None:
    assert Path(environment(aws, {})["CDK_HOME"]).is_relative_to(aws.folder)


def test_each_local_aws_has_a_key_of_its_own(tmp_path: Path) -> None:
    keys = {LocalAws("http://127.0.0.1:1", tmp_path).access_key_id for _ in range(20)}
    assert len(keys) == 20


def test_a_client_ignores_the_users_profile_and_endpoints(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in USERS_OWN.items():
        monkeypatch.setenv(name, value)
    dynamodb = client(aws, "dynamodb")
    assert dynamodb.meta.endpoint_url == aws.endpoint_url
    assert dynamodb.meta.region_name == aws.region


def test_without_ministack_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _name: None)
    with pytest.raises(LocalAwsError, match=r"cdk-streams\[local\]"), local_aws():
        pass
