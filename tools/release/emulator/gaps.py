"""The emulator, with what it gets wrong put right.

Served instead of `ministack.app:app`. Every patch says what AWS does, and is listed in docs/deploying.md; a version that
has closed a gap fails here at its `assert`, so that no patch outlives its reason.
"""

import collections
import contextvars
import copy
import inspect
import json
import os
import signal
import string
import sys
import threading
import time

from ministack.app import app
from ministack.core import iam_actions
from ministack.services import dynamodb, eventbridge, s3
from ministack.services.cloudformation import provisioners

__all__ = ["app"]


# The process that started this holds the other end of standard input: when that process ends, however it ends, this does too.
def end_with_parent():
    sys.stdin.buffer.read()
    os.killpg(os.getpgrp(), signal.SIGKILL)


threading.Thread(target=end_with_parent, daemon=True).start()

# 1. "Object Created" of a versioned bucket names the version (S3 user guide, "EventBridge event message structure").
landed_version: contextvars.ContextVar[str | None] = contextvars.ContextVar("landed_version", default=None)
fire_event = s3._fire_s3_event
dispatch_event = eventbridge._dispatch_event
assert "version-id" not in inspect.getsource(fire_event), "the emulator names versions by itself now"


def fire_event_with_version(*args, **kwargs):
    landed_version.set(kwargs.get("version_id"))
    fire_event(*args, **kwargs)


def dispatch_event_with_version(event, view=None):
    version = landed_version.get()
    if version and event.get("Source") == "aws.s3":
        detail = json.loads(event["Detail"])
        detail["object"]["version-id"] = version
        event = {**event, "Detail": json.dumps(detail)}
    dispatch_event(event, view)


s3._fire_s3_event = fire_event_with_version
eventbridge._dispatch_event = dispatch_event_with_version

# 2. `Ref` of a secret is its ARN (CloudFormation reference, AWS::SecretsManager::Secret, return values).
secret = provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]
create_secret, update_secret, delete_secret = secret["create"], secret["update"], secret["delete"]
assert "return name, " in inspect.getsource(create_secret), "the emulator refers to secrets by ARN now"


def by_arn(made):
    _name, attributes = made[:2]
    return (attributes["Arn"], attributes, *made[2:])


def name_of(arn):
    return next((name for name, one in provisioners._sm._secrets.items() if one["ARN"] == arn), arn)


secret["create"] = lambda *args, **kwargs: by_arn(create_secret(*args, **kwargs))
secret["update"] = lambda arn, *args, **kwargs: by_arn(update_secret(name_of(arn), *args, **kwargs))
secret["delete"] = lambda arn, *args, **kwargs: delete_secret(name_of(arn), *args, **kwargs)

# 3. `ExcludePunctuation` leaves letters and digits (CloudFormation reference, GenerateSecretString).
secret_string = provisioners._sm_secret_string
assert "ExcludePunctuation" not in inspect.getsource(secret_string), "the emulator leaves punctuation out by itself now"


def without_punctuation(props):
    generate = props.get("GenerateSecretString") or {}
    if str(generate.get("ExcludePunctuation")).lower() == "true":
        props = {**props, "GenerateSecretString": {**generate, "ExcludeCharacters": string.punctuation}}
    return secret_string(props)


provisioners._sm_secret_string = without_punctuation

# 4. sqs:SendMessage allows SendMessageBatch as well (SQS developer guide, "Amazon SQS API permissions: Actions and resource reference").
action_of = iam_actions.extract_iam_action
assert "Batch" not in inspect.getsource(iam_actions), "the emulator knows what allows a batch now"


def action_of_one(*args, **kwargs):
    action = action_of(*args, **kwargs)
    return action.removesuffix("Batch") if action and action.startswith("sqs:") else action


iam_actions.extract_iam_action = action_of_one

# A restore to a point in time has the rows of that time (DynamoDB developer guide, "Point-in-time recovery"), not those of now.
restore_to_time, tell_of_write = dynamodb._restore_table_to_point_in_time, dynamodb._emit_stream_event
assert "RestoreDateTime" not in inspect.getsource(restore_to_time), "the emulator goes back in time by itself now"
# What was written to each table: when, the row before and the row after.
written_to = collections.defaultdict(list)


def tell_of_write_and_note(table, event, before, after, *args, **kwargs):
    written_to[table].append((time.time(), copy.deepcopy(before), copy.deepcopy(after)))
    tell_of_write(table, event, before, after, *args, **kwargs)


def restore_to_its_time(data):
    answer = restore_to_time(data)
    source, target, until = data.get("SourceTableName"), data.get("TargetTableName"), data.get("RestoreDateTime")
    if answer[0] != 200 or until is None:
        return answer
    keys = [one["AttributeName"] for one in dynamodb._tables[target]["KeySchema"]]
    for at, before, after in reversed(written_to[source]):
        if at <= float(until):
            break
        if before:
            dynamodb._put_item({"TableName": target, "Item": before})
        else:
            dynamodb._delete_item({"TableName": target, "Key": {key: after[key] for key in keys}})
    return answer


dynamodb._emit_stream_event = tell_of_write_and_note
dynamodb._restore_table_to_point_in_time = restore_to_its_time

# CloudFormation imports secrets (CloudFormation user guide, "Resource type support for imports"), by their ARN.
assert "import" not in secret, "the emulator imports secrets by itself now"
secret["import"] = lambda identifier: (identifier["Id"], {"Arn": identifier["Id"], "Id": identifier["Id"]})
