"""A server of S3 for tests: moto's, over HTTP, with buckets that end with the test."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from moto.server import ThreadedMotoServer

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test-secret"}
REGION = {"AWS_DEFAULT_REGION": "us-east-1"}
_numbers = itertools.count(1)


@contextmanager
def serving() -> Iterator[str]:
    """A server; gives its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def made(address: str) -> str:
    """The name of a new, empty bucket."""
    name = f"pictures-{next(_numbers)}"
    boto3.client(
        "s3",
        endpoint_url=address,
        region_name=REGION["AWS_DEFAULT_REGION"],
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
    ).create_bucket(Bucket=name)
    return name
