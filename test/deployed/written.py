"""Prints every message of every log group. One process, where the command line would be one per group."""

import botocore.session

logs = botocore.session.get_session().create_client("logs")
for groups in logs.get_paginator("describe_log_groups").paginate():
    for group in groups["logGroups"]:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
            for event in page["events"]:
                print(event["message"])
