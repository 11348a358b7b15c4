"""Runs in the environment of coarnotify: a client that sends notices, and a reader of ours.

Reads a JSON object: ``inbox``, the address to send to, and ``notices``, texts to read. Prints what happened as JSON.
"""

from __future__ import annotations

import json
import sys

from coarnotify.client import COARNotifyClient
from coarnotify.core.activitystreams2 import Properties
from coarnotify.core.notify import NotifyObject, NotifyService
from coarnotify.factory import COARNotifyFactory
from coarnotify.patterns import AnnounceRelationship, AnnounceReview
from coarnotify.server import COARNotifyReceipt, COARNotifyServer, COARNotifyServiceBinding

HERE, THERE = "https://lab-b.example", "http://127.0.0.1"


def relationship() -> AnnounceRelationship:
    notice = AnnounceRelationship()
    notice.origin = _service(HERE)
    notice.target = _service(THERE)
    stated = NotifyObject()
    stated.type = "Relationship"
    stated.triple = (
        f"{THERE}/projects/crops/documents/run/versions/1",
        "http://www.w3.org/ns/prov#wasDerivedFrom",
        f"{HERE}/models/1",
    )
    notice.object = stated
    about = NotifyObject()
    about.id = f"{THERE}/projects/crops/documents/run/versions/1"
    about.type = ["Page", "sorg:AboutPage"]
    notice.context = about
    return notice


def review() -> AnnounceReview:
    notice = AnnounceReview()
    notice.origin = _service(HERE)
    notice.target = _service(THERE)
    made = NotifyObject()
    made.id = f"{HERE}/reviews/1"
    made.type = ["Document", "sorg:Review"]
    notice.object = made
    about = NotifyObject()
    about.id = f"{THERE}/projects/crops/documents/run"
    about.type = ["Page", "sorg:AboutPage"]
    notice.context = about
    return notice


def _service(url: str) -> NotifyService:
    service = NotifyService()
    service.id = url
    service.inbox = f"{url}/inbox"
    service.type = "Service"
    return service


class Binding(COARNotifyServiceBinding):
    def notification_received(self, notification: object) -> COARNotifyReceipt:
        received.append(notification)
        return COARNotifyReceipt(COARNotifyReceipt.ACCEPTED)


received: list[object] = []


def main() -> None:
    given = json.load(sys.stdin)
    client = COARNotifyClient(given["inbox"])
    sent = {}
    for make in (relationship, review):
        sent[make.__name__] = client.send(make(), validate=False).action
    read = []
    for text in given["notices"]:
        COARNotifyServer(Binding()).receive(text)
        notice = COARNotifyFactory.get_by_object(json.loads(text))
        read.append(
            {
                "pattern": type(notice).__name__,
                "valid": notice.validate() and notice.object.validate(),
                "origin": notice.origin.id,
                "inbox": notice.target.inbox,
                "relationship": notice.object.get_property(Properties.RELATIONSHIP_TRIPLE),
                "object": notice.object.get_property(Properties.OBJECT_TRIPLE),
                "subject": notice.object.get_property(Properties.SUBJECT_TRIPLE),
                "context": notice.context.id,
                "answers": notice.get_property(Properties.IN_REPLY_TO),
            }
        )
    json.dump({"sent": sent, "read": read, "received": len(received)}, sys.stdout)


main()
