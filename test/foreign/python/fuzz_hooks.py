"""
Hooks of schemathesis, which knows shapes but no verification: half of what it generates becomes a case about one that
exists, in whichever state, so that more is answered than 404 and 422. Which half follows from the case alone.
"""

import json
import os
import re
import zlib

import schemathesis

known = json.loads(os.environ["FUZZ_KNOWN"])
good_request = {"source_id": "", "check": "spoof_detect", "captures": {"selfie": {"content_type": "image/jpeg"}}}


@schemathesis.hook
def before_call(context, case, kwargs):
    dice = zlib.crc32(repr((case.method, case.path, case.path_parameters, case.query, case.body)).encode("utf8", "replace"))
    parameters = case.path_parameters
    if "source_id" in parameters and possible_source_id(parameters["source_id"]) and dice % 8 > 0:
        erases = (case.method, case.path) == ("DELETE", "/verifications/{source_id}")
        ids = known["to_erase" if erases else "source_ids"]
        parameters["source_id"] = ids[dice // 8 % len(ids)]
    if "endpoint_id" in parameters and dice % 8 > 0:
        ids = known["endpoints_to_delete" if case.method == "DELETE" else "endpoints"]
        parameters["endpoint_id"] = ids[dice // 8 % len(ids)]
    if (case.method, case.path) == ("POST", "/endpoints") and isinstance(case.body, dict) and dice % 4 > 0:
        case.body = {**case.body, "url": known["endpoint_url"]}
    if "token" in parameters and dice % 2 == 0:
        parameters.update(known["webhook"])
    if (case.method, case.path) == ("POST", "/verifications") and isinstance(case.body, dict) and dice % 4 > 0:
        case.body = one_field_of(case.body, dice)
    # A verification of this run has no worker to wait for: a good `wait` would only make the run longer.
    if possible_wait(case.query.get("wait")):
        case.query["wait"] = 1 if dice % 16 == 0 else 0


def one_field_of(generated, dice):
    """A good request, new or made before, with one of the generated fields."""
    names = sorted(generated)
    name = names[dice // 4 % len(names)] if names else None
    source_id = f"fuzz-{dice if dice % 3 else dice % 50}"
    return {**good_request, "source_id": source_id, **({name: generated[name]} if name else {})}


def possible_source_id(value):
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", value) is not None


def possible_wait(value):
    return re.fullmatch(r"\d{1,2}", str(value)) is not None and int(value) <= 20
