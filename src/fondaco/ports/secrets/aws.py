"""A ring in AWS: masters in KMS, secrets in Secrets Manager. Nothing of either is kept here.

A master is a KMS key that is tagged with the ring's name; the alias names the newest. What is
wrapped says which key has done it, and is bound to what it is about by KMS's encryption context.
Credentials, region and endpoints are found as boto3 finds them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import quote, unquote

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from fondaco.kernel.errors import Corrupt, Denied, FondacoError, NotFound, Unavailable
from fondaco.ports.secrets.sealed_file import check

TAG: Final = "fondaco-ring"
DELETED_AFTER_DAYS: Final = 7  # the least that KMS allows; the key is of no use meanwhile
TIMEOUT_S: Final = 5
_GONE: Final = {"KMSInvalidStateException", "DisabledException"}
_DENIED: Final = {
    "AccessDeniedException", "UnrecognizedClientException", "InvalidClientTokenId",
    "ExpiredTokenException", "InvalidSignatureException", "MissingAuthenticationToken",
}  # fmt: skip


class AwsSecrets:
    """`name` is the alias of the newest master, and begins the names of secrets."""

    def __init__(self, region: str, name: str) -> None:
        config = Config(
            connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, retries={"max_attempts": 3}
        )
        self._name, self._alias, self._closed = name, f"alias/{name}", False
        with _translated():
            self._kms: Any = boto3.client("kms", region_name=region or None, config=config)
            self._secrets: Any = boto3.client(
                "secretsmanager", region_name=region or None, config=config
            )
            if self._newest_or_none() is None:
                self._kms.create_alias(AliasName=self._alias, TargetKeyId=self._new_key())

    def wrap(self, key: bytes, about: str) -> bytes:
        with self._asking():
            newest = self._newest()
            found = self._kms.encrypt(
                KeyId=newest, Plaintext=key, EncryptionContext={"about": about}
            )
            return newest.encode() + b":" + bytes(found["CiphertextBlob"])

    def unwrap(self, wrapped: bytes, about: str) -> bytes:
        name, _, blob = wrapped.partition(b":")
        key_id = name.decode("ascii", "replace")
        with self._asking():
            state = self._kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]
            if state != "Enabled":
                raise Unavailable(f"its master {key_id} is {state}", code="master_gone")
            found = self._kms.decrypt(
                KeyId=key_id,
                CiphertextBlob=blob,
                EncryptionContext={"about": about},
            )
            return bytes(found["Plaintext"])

    def is_current(self, wrapped: bytes) -> bool:
        with self._asking():
            return wrapped.partition(b":")[0] == self._newest().encode()

    def rotate(self) -> str:
        with self._asking():
            new = self._new_key()
            self._kms.update_alias(AliasName=self._alias, TargetKeyId=new)
            return new

    def retire(self) -> Sequence[str]:
        with self._asking():
            newest = self._newest()
            for name in self._names():  # written anew under the newest
                value = self._secrets.get_secret_value(SecretId=self._id(name))["SecretBinary"]
                self._secrets.update_secret(
                    SecretId=self._id(name), KmsKeyId=newest, SecretBinary=value
                )
            gone = [each for each in self._masters() if each != newest]
            for each in gone:
                self._kms.schedule_key_deletion(KeyId=each, PendingWindowInDays=DELETED_AFTER_DAYS)
            return gone

    def get(self, name: str) -> bytes:
        with self._asking(name):
            found = self._secrets.get_secret_value(SecretId=self._id(name))
            return bytes(found["SecretBinary"])[1:]

    def put(self, name: str, value: bytes) -> None:
        check(name, value)
        kept = b"=" + value  # an empty one cannot be kept there
        with self._asking(name):
            try:
                self._secrets.put_secret_value(SecretId=self._id(name), SecretBinary=kept)
            except self._secrets.exceptions.ResourceNotFoundException:
                self._secrets.create_secret(
                    Name=self._id(name), SecretBinary=kept, KmsKeyId=self._newest()
                )

    def remove(self, name: str) -> None:
        with self._asking(name):
            self._secrets.describe_secret(SecretId=self._id(name))
            self._secrets.delete_secret(SecretId=self._id(name), ForceDeleteWithoutRecovery=True)

    def names(self) -> list[str]:
        with self._asking():
            return sorted(self._names())

    def close(self) -> None:
        self._closed = True

    def _id(self, name: str) -> str:
        """Names there are letters, digits and /_+=.@- alone."""
        return f"{self._name}/{quote(name, safe='/_+.@-').replace('%', '=')}"

    def _names(self) -> Iterator[str]:
        prefix = f"{self._name}/"
        asked = self._secrets.get_paginator("list_secrets")
        for page in asked.paginate(Filters=[{"Key": "name", "Values": [prefix]}]):
            for each in page["SecretList"]:
                if each["Name"].startswith(prefix):
                    yield unquote(each["Name"].removeprefix(prefix).replace("=", "%"))

    def _new_key(self) -> str:
        tags = [{"TagKey": TAG, "TagValue": self._name}]
        found = self._kms.create_key(Description=f"master of {self._name}", Tags=tags)
        return str(found["KeyMetadata"]["KeyId"])

    def _newest(self) -> str:
        return str(self._kms.describe_key(KeyId=self._alias)["KeyMetadata"]["KeyId"])

    def _newest_or_none(self) -> str | None:
        try:
            return self._newest()
        except self._kms.exceptions.NotFoundException:
            return None

    def _masters(self) -> Iterator[str]:
        """Those of this ring that still work."""
        for page in self._kms.get_paginator("list_keys").paginate():
            for each in page["Keys"]:
                tags = self._kms.list_resource_tags(KeyId=each["KeyId"])["Tags"]
                mine = any((t["TagKey"], t["TagValue"]) == (TAG, self._name) for t in tags)
                if mine and self._kms.describe_key(KeyId=each["KeyId"])["KeyMetadata"]["Enabled"]:
                    yield each["KeyId"]

    @contextmanager
    def _asking(self, name: str = "") -> Iterator[None]:
        if self._closed:
            raise Unavailable(f"the ring {self._name} is sealed", code="sealed")
        with _translated(name):
            yield


@contextmanager
def _translated(name: str = "") -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise _ours(error, name) from error
    except BotoCoreError as error:
        raise Unavailable(f"AWS does not answer: {error}") from error


def _ours(error: ClientError, name: str) -> FondacoError:
    code = error.response["Error"]["Code"]
    if code == "ResourceNotFoundException":
        return NotFound(f"there is no secret {name} in this ring")
    if code in ("InvalidCiphertextException", "IncorrectKeyException"):
        return Corrupt("what is wrapped is of something else, or damaged")
    if code in _GONE or (code == "NotFoundException" and not name):
        return Unavailable("its master is gone, or disabled", code="master_gone")
    if code in _DENIED:
        return Denied(f"AWS refuses us: {code}", code="sealed")
    return Unavailable(f"AWS says {code}: {error}")
