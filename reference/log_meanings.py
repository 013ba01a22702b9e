"""What each event of the log means. A test compares the names with those that the code logs."""

from collections.abc import Mapping
from typing import Final

WORKER: Final[Mapping[str, str]] = {
    "worker.starting": "The settings are good; Kafka and the topics are looked at next.",
    "worker.started": "It is in its group, and takes events once partitions are assigned.",
    "worker.draining": "It was told to end, or has crashed: what is under way ends, and no more "
    "is taken.",
    "drain.unfinished": "The time to drain is over with this much under way: it stays uncommitted, "
    "and the next owner delivers it, under the same key.",
    "worker.stopped": "The end of a good end.",
    "worker.useless": "Kafka is there, and this worker takes no part or gets nothing. If that "
    "lasts, it ends.",
    "worker.aborted": "It met what it must not survive and ends with 1; `why` and `stack` say "
    "what. Nothing is lost. A supervisor starts it again; the same line again and again is for "
    "a person.",
    "metrics.listening": "The port of metrics, health and the status page is open.",
    "page.failed": "A page of that port failed, by a defect; who asked is told no more than that. "
    "Nothing else is touched.",
    "topic.doubtful": "A topic is there and may lose events, or stop them; `remedy` says what to "
    "change.",
    "topic.missing": "A topic was deleted while the worker runs. Told each half minute.",
    "start.without_commit": "It begins with the oldest records, as "
    "`POP_STREAM_START_WITHOUT_COMMIT` says: what was delivered before is sent again.",
    "group.assigned": "A rebalance: how many partitions of each topic came, and how long the "
    "worker stood still for it.",
    "group.stranger": "Somebody who is no worker is in the group, takes partitions and delivers "
    "nothing. Told each half minute.",
    "guard.blind": "Kafka could not be asked who is in the group; it is asked again.",
    "consumer.left_late": "A consumer of ours beside the worker's own did not leave in time. "
    "Harmless.",
    "delivery.retry": "An attempt failed, and there will be another after `wait_seconds`. One line "
    "a minute for each reason; `repeated` are those that were left out.",
    "delivery.gave_up": "An event was parked on the failure topic. One line a minute for each "
    "reason.",
    "event.quarantined": "An event cannot be posted, and went to the failure topic with its "
    "original bytes. One line a minute for each reason.",
    "failure.notified": "A failure notification is out. One line a minute.",
    "delivery.held": "Nothing is attempted but probes: GSTV or the way to it is down, or refuses "
    "us (then it is an error, and a person has to act). `remedy` says what to look at.",
    "delivery.resumed": "GSTV takes events again, after so long.",
    "pace.shared": "This worker's part of `POP_STREAM_GSTV_RATE_LIMIT`.",
    "handoff.unconfirmed": "Kafka does not confirm our records on the next topic. The events stay "
    "uncommitted, and it is tried again.",
    "handoff.trimmed": "An event is too large for the next topic, and went on cut, with a digest; "
    "the whole of it stays where it was.",
    "receipts.unwritten": "The receipts topic takes nothing: no more is fetched, and what was "
    "delivered is not committed. Told each half minute.",
    "commit.failed": "Kafka did not take a commit for a while; the next one holds it, too.",
    "commit.refused": "The partition has another owner by now, which delivers again what was not "
    "committed.",
    "committed.unread": "What was committed could not be read at a rebalance: what is finished "
    "beyond it is done again.",
    "bounds.unread": "Where partitions begin and end could not be read; it is asked again.",
    "records.skipped": "Records did not come that should have; they are asked for once more.",
    "events.gone": "Records were deleted before they were delivered. They are named on the failure "
    "topic; only players can send them again.",
    "partition.starts_over": "A partition begins anew at `offset`, as "
    "`POP_STREAM_START_WITHOUT_COMMIT` allows.",
    "failure.redriven": "Parked events were sent back by themselves, so many.",
    "redrive.failed": "Redrives of a step failed, and go on later.",
    "redrive.partition_lost": "A partition of the failure topic went to another worker, which goes "
    "on there.",
    "redrive.too_large": "A parked event is too large for the retry topic, and stays parked.",
    "settled.read": "All marks of settled events are known; redrives begin.",
    "settled.unread": "The marks of settled events cannot be read. Nothing is redriven until they "
    "can.",
    "failures.parked": "How many events were parked in the last minute, and why.",
}
OTHERS: Final[Mapping[str, str]] = {
    "access.reread": "A certificate, a key or a secret was replaced: new connections use what its "
    "`files` hold now.",
    "access.reread.failed": "They were replaced, and cannot be used (half of a pair, mostly): the "
    "old ones stay in use, and it is tried again. Told once.",
    "access.token.failed": "No new token could be had; `reason` and `detail` say why. The old one "
    "is used until it ends; then everything is held. Told once.",
    "access.token.renewed": "Tokens are had again.",
    "broker.refused": "A broker gave an address beyond this machine, where the settings allow "
    "nothing without TLS: it is not connected to. `detail` says what to set.",
    "gstv.connect.failed": "A connection to GSTV could not be made. Only at DEBUG.",
    "watch.listening": "The watch serves its metrics.",
    "watch.blind": "The watch does not see Kafka: what it shows is as old as this line. An error "
    "the first time.",
    "watch.sees_again": "It sees Kafka again.",
    "watch.retention_unseen": "This user may not see how long these topics keep their records, so "
    "what is about to be deleted looks as if it were kept.",
    "watch.no_marks": "The topic of settled events is missing: all that is parked counts as "
    "waiting.",
    "kafka.ready": "The embedded Kafka takes clients.",
    "kafka.archive.recording": "The first start on this machine: Java records it, so that the "
    "next take a third of the time.",
    "kafka.archive.failed": "That could not be recorded: starts stay slow.",
    "demo.child.started": "The demo started a part of the system.",
    "demo.child.killed": "A part of the demo did not end when it was told to.",
}
PLAYER: Final[Mapping[str, str]] = {
    "outbox.awaited": "`player drain --follow` waits for the file of an outbox.",
    "outbox.not_opened": "The outbox cannot be opened; it is tried again.",
    "outbox.mended": "The file was damaged: what could be read is in a new one, and the old one "
    "is set `aside`. Look at it, then delete it.",
    "outbox.not_mended": "The file is damaged and could not be mended yet; it is tried again.",
    "outbox.plays_missing": "Plays of the file are missing and were declared lost; the fields are "
    "those of `pop-lost`.",
    "outbox.play_lost": "A play could not be kept, and is declared lost. One line for the first of "
    "a row.",
    "outbox.play_refused": "A play is none that GSTV would take, or Kafka refused it for what it "
    "is. It is counted, or set aside.",
    "outbox.end_lost": "The end of a play could not be written; the next start of the player ends "
    "it as interrupted.",
    "outbox.closed_unwritten": "The outbox was closed while the disk took no writing.",
    "outbox.not_closed": "The outbox could not be closed in time; the next start goes on from what "
    "is on the disk.",
    "outbox.not_written": "The disk takes no writing, or has no room; it is tried again.",
    "outbox.not_taken": "So much waits for the disk that no more is taken: this play is declared "
    "lost.",
    "outbox.disk_slow": "The disk took longer than `wait_seconds`; the play is written as soon as "
    "it can be.",
    "outbox.writer_failed": "A defect, with its trace; the writer goes on.",
    "outbox.marks_not_opened": "The file beside the outbox cannot be opened. The outbox does "
    "without; that its end is missing would not be seen.",
    "outbox.marks_not_written": "The file beside the outbox cannot be written. As above.",
    "outbox.filling": "The outbox nears its limit: what Kafka has goes first, then the oldest is "
    "packed.",
    "outbox.has_room_again": "It does no more.",
    "outbox.kafka_away": "Kafka cannot be reached; plays wait, and it is tried again after "
    "`wait_seconds`.",
    "outbox.leases_reset": "What a drain that died had taken waits again.",
    "outbox.confirmed_not_found": "Kafka confirmed plays that the outbox has no more: the file was "
    "mended or replaced meanwhile.",
    "outbox.pruned": "Plays that Kafka has had for so many days were taken out.",
}

#: By the title of its table.
MEANINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "Workers": WORKER,
    "Watch, embedded Kafka, demo": OTHERS,
    "Players": PLAYER,
}
