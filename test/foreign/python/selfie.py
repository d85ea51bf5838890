"""An integrator's program, written against what openapi-python-client generates: selfie.py URL KEY SOURCE_ID PHOTO"""

import importlib
import pkgutil
import sys
import typing
from pathlib import Path

import httpx
from bonafide_client import AuthenticatedClient, api

url, key, source_id, photo = sys.argv[1:]


def operation(name):
    """The module of an operation, under whichever tag the document has it."""
    for tag in pkgutil.iter_modules(api.__path__):
        package = importlib.import_module(f"bonafide_client.api.{tag.name}")
        if name in (module.name for module in pkgutil.iter_modules(package.__path__)):
            return importlib.import_module(f"{package.__name__}.{name}")
    raise SystemExit(f"There is no operation {name}")


request_verification = operation("request_verification")
read_verification = operation("read_verification")
Body = typing.get_type_hints(request_verification.sync_detailed)["body"]

with AuthenticatedClient(
    base_url=url,
    token=key,
    prefix="",
    auth_header_name="x-api-key",
    timeout=httpx.Timeout(30),
    raise_on_unexpected_status=True,
) as client:
    body = Body.from_dict(
        {
            "source_id": source_id,
            "check": "spoof_detect",
            "captures": {"selfie": {"content_type": "image/jpeg"}},
            "metadata": {"order": 17, "lines": [{"article": "a", "price": 1.5}], "note": None},
        }
    )
    requested = request_verification.sync_detailed(client=client, body=body)
    if requested.status_code != 201:
        raise SystemExit(f"{requested.status_code}: {requested.parsed}")
    put = requested.parsed.to_dict()["uploads"]["selfie"]["put"]
    httpx.put(put["url"], headers=put["headers"], content=Path(photo).read_bytes()).raise_for_status()

    state = None
    while state != "decided":
        read = read_verification.sync(source_id, client=client, wait=20)
        state = read.to_dict()["state"]
    print(f"{state}: {read.verdict.outcome}")
