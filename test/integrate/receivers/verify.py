"""Verifies deliveries as a receiver in Python does: reads them as JSON, writes who takes each of them."""

import json
import sys

from public_key import is_genuine
from standardwebhooks import Webhook, WebhookVerificationError


def takes(secret: str, body: str, headers: dict) -> bool:
    try:
        return Webhook(secret).verify(body.encode(), headers) == json.loads(body)
    except WebhookVerificationError:
        return False


def told(delivery: dict) -> dict:
    body, headers = delivery["body"], delivery["headers"]
    return {
        "secrets": [takes(secret, body, headers) for secret in delivery["secrets"]],
        "publicKeys": [is_genuine(body.encode(), headers, [key]) for key in delivery["publicKeys"]],
    }


print(json.dumps([told(delivery) for delivery in json.load(sys.stdin)]))
