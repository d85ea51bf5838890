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
import random
import signal
import string
import sys
import threading
import time

from ministack.app import app as emulator
from ministack.core import iam_actions
from ministack.services import cloudwatch, cloudwatch_logs, dynamodb, eventbridge, lambda_svc, s3, sqs
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

# Alarms. CloudFormation takes those of metric math: here they are made and listed, and never ring.
alarm_record = provisioners._cw_metric_alarm_record
assert "metric math) is not supported" in inspect.getsource(alarm_record), "the emulator knows metric math now"


def record_of_any(name, props):
    if props.get("Metrics"):
        props = {**props, "Metrics": None, "Namespace": "metric math", "MetricName": "not evaluated"}
    return alarm_record(name, props)


provisioners._cw_metric_alarm_record = record_of_any

# An alarm reads the metric of its own dimensions and ends when there is nothing more that breaches, SQS says every minute how
# many messages a queue shows, and a line of embedded metric format in a log is a metric of the time that the line says
# (CloudWatch user guide, "Using Amazon CloudWatch alarms", "Embedding metrics within logs"; SQS developer guide, "Available
# CloudWatch metrics").
evaluate_alarm, evaluate_all = cloudwatch._evaluate_alarm, cloudwatch._evaluate_all_alarms
assert "_dims_key" not in inspect.getsource(evaluate_alarm), "the emulator tells dimensions apart by itself now"
read_lines = {}


def evaluate_own(alarm):
    dimensions = cloudwatch._dims_key({one["Name"]: one["Value"] for one in alarm.get("Dimensions") or []})
    everything = cloudwatch._metrics
    cloudwatch._metrics = {key: points for key, points in everything.items() if key[2] == dimensions}
    since = time.time() - alarm.get("Period", 60) * alarm.get("EvaluationPeriods", 1)
    measured = cloudwatch._metrics.get((alarm.get("Namespace"), alarm.get("MetricName"), dimensions), [])
    try:
        if any(point["Timestamp"] >= since for point in measured):
            evaluate_alarm(alarm)
        elif alarm.get("TreatMissingData") == "notBreaching":
            alarm["StateValue"] = "OK"
    finally:
        cloudwatch._metrics = everything


def embedded_metrics(text):
    line, _ = json.JSONDecoder().raw_decode(text[text.index("{") :])
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = {name: line[name] for name in names}
            for metric in directive["Metrics"]:
                measured = line[metric["Name"]]
                values = measured if isinstance(measured, list) else [measured]
                time_of = line["_aws"]["Timestamp"] / 1000
                yield directive["Namespace"], metric["Name"], dimensions, time_of, metric["Unit"], None, values, None, None


def measure_then_evaluate():
    for url, queue in list(sqs._queues.items()):
        now = time.time()
        shown = sum(1 for message in queue["messages"] if message["visible_at"] <= now)
        age = max((now - message["sent_at"] for message in queue["messages"]), default=0)
        name = {"QueueName": url.rsplit("/", 1)[-1]}
        cloudwatch.record_metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", shown, "Count", name)
        cloudwatch.record_metric("AWS/SQS", "ApproximateAgeOfOldestMessage", age, "Seconds", name)
    for group_name, group in list(cloudwatch_logs._log_groups.items()):
        for stream_name, stream in list(group["streams"].items()):
            place = (group_name, stream_name)
            for event in stream["events"][read_lines.get(place, 0) :]:
                if '"_aws":{' in event["message"]:
                    for measured in embedded_metrics(event["message"]):
                        cloudwatch._store_datum(*measured)
            read_lines[place] = len(stream["events"])
    evaluate_all()


cloudwatch._evaluate_alarm = evaluate_own
cloudwatch._evaluate_all_alarms = measure_then_evaluate

# CORS of an HTTP API as its template says it (CloudFormation reference, AWS::ApiGatewayV2::Api Cors).
from ministack.services import apigateway  # noqa: E402

cors_headers, cors_preflight = apigateway._cors_response_headers, apigateway._cors_preflight_response
create_api = inspect.getsource(provisioners._apigw_v2_api_create)
assert 'api["corsConfiguration"] = props["CorsConfiguration"]' in create_api, "the emulator reads a template's CORS now"


def as_the_service_names_it(cors):
    return {name[:1].lower() + name[1:]: value for name, value in cors.items()}


apigateway._cors_response_headers = lambda cors, origin: cors_headers(as_the_service_names_it(cors), origin)
apigateway._cors_preflight_response = lambda cors, origin: cors_preflight(as_the_service_names_it(cors), origin)

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

# 5. An HTTP API answers 503 where its function has no execution left (API Gateway developer guide, "Quotas": 429 is its own throttle).
proxy_response = lambda_svc.lambda_execute_result_to_api_proxy_response
assert '"statusCode": 429' in inspect.getsource(proxy_response), "the emulator answers a throttled function in another way now"


def unavailable_where_throttled(result):
    if not result.get("throttle"):
        return proxy_response(result)
    body = json.dumps({"message": "Service Unavailable"})
    return {"statusCode": 503, "headers": {"Content-Type": "application/json"}, "body": body}, None


lambda_svc.lambda_execute_result_to_api_proxy_response = unavailable_where_throttled

# 6. Where no execution is left for messages of a queue, Lambda keeps them and tries again until their visibility ends
# (Lambda developer guide, "Using Lambda with Amazon SQS", "Backoff strategy for throttled invocations").
run_batch, execute = lambda_svc._run_sqs_batch, lambda_svc._execute_function
assert "throttle" not in inspect.getsource(run_batch), "the emulator tries throttled batches again by itself now"
visible_again_at: contextvars.ContextVar[float] = contextvars.ContextVar("visible_again_at", default=0.0)


def run_batch_patiently(mapping, function, event, batch, queue_url, queue_name):
    seconds = int(sqs._queues[queue_url]["attributes"].get("VisibilityTimeout", 30))
    visible_again_at.set(time.time() + seconds)
    run_batch(mapping, function, event, batch, queue_url, queue_name)


def execute_patiently(function, event):
    pause = 0.2
    result = execute(function, event)
    while isinstance(result, dict) and result.get("throttle") and time.time() + pause < visible_again_at.get():
        time.sleep(pause)
        pause = min(2 * pause, 5)
        result = execute(function, event)
    return result


lambda_svc._run_sqs_batch = run_batch_patiently
lambda_svc._execute_function = execute_patiently

# 7. An alias sends its share of invocations to each version (Lambda developer guide, "Implement Lambda canary deployments using a weighted alias").
record_of, invoke = lambda_svc._effective_func_record_for_qualifier, lambda_svc._invoke
assert "Weights" not in inspect.getsource(record_of), "the emulator draws by an alias's weights by itself now"


def drawn(function, qualifier):
    """The version that an invocation of an alias runs; anything else as it is."""
    alias = ((function or {}).get("aliases") or {}).get(qualifier) or {}
    draw = random.random()
    for version, weight in ((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}).items():
        draw -= float(weight)
        if draw < 0:
            return version
    return qualifier


async def invoke_drawn(name, event, headers, path_qualifier=None, query_params=None):
    qualifier = path_qualifier or ((query_params or {}).get("Qualifier") or [None])[0]
    return await invoke(name, event, headers, drawn(lambda_svc._functions.get(name), qualifier), query_params)


lambda_svc._effective_func_record_for_qualifier = lambda function, qualifier: record_of(function, drawn(function, qualifier))
lambda_svc._invoke = invoke_drawn


# CloudFormation imports secrets (CloudFormation user guide, "Resource type support for imports"), by their ARN.
assert "import" not in secret, "the emulator imports secrets by itself now"
secret["import"] = lambda identifier: (identifier["Id"], {"Arn": identifier["Id"], "Id": identifier["Id"]})

# A role has the permissions boundary of its template (CloudFormation reference, AWS::IAM::Role).
role = provisioners._RESOURCE_HANDLERS["AWS::IAM::Role"]
create_role, update_role = role["create"], role["update"]
assert "PermissionsBoundary" not in inspect.getsource(create_role), "the emulator gives roles their boundary now"


def bounded(made, properties):
    provisioners._iam._roles[made[0]]["PermissionsBoundary"] = properties.get("PermissionsBoundary")
    return made


role["create"] = lambda name, properties, *rest: bounded(create_role(name, properties, *rest), properties)
role["update"] = lambda name, old, new, *rest: bounded(update_role(name, old, new, *rest), new)

# For tests: `PUT /_bonafide/executions` with a number holds the account to so many executions at once; with nothing, to the usual.
usual_executions = lambda_svc._ACCOUNT_CONCURRENCY_CAP


async def app(scope, receive, send):
    if scope["type"] != "http" or scope["path"] != "/_bonafide/executions":
        return await emulator(scope, receive, send)
    lambda_svc._ACCOUNT_CONCURRENCY_CAP = int((await receive()).get("body") or usual_executions)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})
