/* SPDX-License-Identifier: Apache-2.0 */
/* Every rule of a catalog, one row each: symbol, code, name, severity, what it says, what to do, function.
 *
 * Findings, `weir check`, its documentation and the fixtures in test/fixture/checks come from these rows.
 * Codes are never reused. C0xx rules are raised while the files are read (they have no function); the others
 * are functions over the finished model: C1xx streams, C2xx events, C3xx groups, C4xx services, C5xx the
 * whole, C6xx bridges. A finding may bring a remedy that is more exact than the row's. */
#ifndef CATALOG_RULES_H
#define CATALOG_RULES_H

/* clang-format off */
#define READING_RULES(X) \
    X(FILE_UNREADABLE, "C001", "file-unreadable", ERROR, \
      "A file of the catalog cannot be read, or is no YAML or JSON as weir reads it", \
      "mend the file; one YAML document without anchors, aliases, tags and tabs") \
    X(FILE_OUTSIDE, "C002", "file-outside", ERROR, \
      "A path or a symbolic link leads out of the catalog's folder", \
      "keep everything a catalog is made of inside its folder, or name the folder of both: `tree: ..`") \
    X(FILE_NO_PART, "C003", "file-no-part", ERROR, \
      "A YAML file is neither a part of the catalog nor referenced by one", \
      "write a section (streams, events, groups, services), reference it, or move it out of the folder") \
    X(FILE_IGNORED, "C004", "file-ignored", WARNING, \
      "A file looks like a part of the catalog but has an ending that is not read", \
      "rename it so that it ends in .yaml") \
    X(SECTION_MISPLACED, "C005", "section-misplaced", ERROR, \
      "A section that only catalog.yaml may hold stands in another file", \
      "move the section to catalog.yaml") \
    X(UNKNOWN_KEY, "C006", "unknown-key", ERROR, \
      "A key is not known at this place", \
      "remove it, or see the catalog reference for the keys that exist") \
    X(MISSING_KEY, "C007", "missing-key", ERROR, \
      "A key that is required is not there", \
      "add it") \
    X(WRONG_TYPE, "C008", "wrong-type", ERROR, \
      "A value has the wrong type; booleans are exactly true and false", \
      "write the value in the form that is named") \
    X(BAD_VALUE, "C009", "bad-value", ERROR, \
      "A value is out of range, or no duration, size or choice that exists", \
      "write one of the forms that are named") \
    X(BAD_NAME, "C010", "bad-name", ERROR, \
      "A name has characters that NATS or weir cannot use, or is too long", \
      "choose another name") \
    X(DEFINED_TWICE, "C011", "defined-twice", ERROR, \
      "Two definitions, or one definition and a stream that weir derives, have the same name", \
      "rename or remove one of them") \
    X(BAD_SUBJECT, "C012", "bad-subject", ERROR, \
      "A subject, pattern or template is malformed or has more than 32 tokens", \
      "write tokens joined by dots; `*` stands for one token, a final `>` for the rest") \
    X(BAD_SCHEMA, "C013", "bad-schema", ERROR, \
      "A payload schema cannot be used", \
      "mend the schema (JSON Schema draft 2020-12, references inside the catalog's folder)") \
    X(BAD_ENVELOPE, "C014", "bad-envelope", ERROR, \
      "The envelope file cannot be used", \
      "mend the envelope file") \
    X(UNKNOWN_CLASS, "C015", "unknown-retention-class", ERROR, \
      "A stream names a retention class that does not exist", \
      "define it under `retention` in catalog.yaml, or use limits, interest or workqueue") \
    X(OVERLAY_FORBIDDEN, "C016", "environment-forbidden", ERROR, \
      "An environment tries to change something that must be the same everywhere", \
      "change it in the catalog itself: environments change sizes, ages, replicas, storage and drop denials") \
    X(GROUP_FILTER, "C017", "group-filter-outside", ERROR, \
      "A group reads a stream or an event that does not exist, or an event from a stream that does not hold it", \
      "name the stream that holds the event")

#define CHECK_RULES(X) \
    X(STREAM_OVERLAP, "C101", "stream-subjects-overlap", ERROR, \
      "Subjects of two streams overlap (10065), or of one stream (10052): the server refuses it", \
      "narrow one of them so that every subject has one stream", check_stream_overlap) \
    X(STREAM_RESERVED, "C102", "reserved-subject", ERROR, \
      "A stream, event or grant uses a subject that belongs to weir (`_weir.`) or to the server (`$`, `_INBOX.`)", \
      "use a subject of your own", check_reserved_subject) \
    X(STREAM_EMPTY, "C103", "stream-without-events", WARNING, \
      "A stream has no event type", \
      "define its events, or remove the stream", check_stream_empty) \
    X(DUPLICATE_WINDOW, "C104", "duplicate-window-too-long", ERROR, \
      "duplicate_window is longer than max_age, or shorter than the server's least 100ms (10052)", \
      "choose a duplicate_window of at least 100ms and at most max_age", check_duplicate_window) \
    X(REPLICAS_EVEN, "C105", "replicas-even", WARNING, \
      "An even number of replicas survives no more failures than one less", \
      "use 1, 3 or 5", check_replicas_even) \
    X(MEMORY_KEEPS, "C106", "memory-storage-with-denials", WARNING, \
      "A stream whose messages may never be deleted is held in memory, and gone when its servers stop", \
      "use storage: file", check_memory_keeps) \
    X(KEEPS_BUT_EVICTS, "C107", "kept-but-evicted", WARNING, \
      "A stream denies deleting, yet its size limit with discard: old evicts the oldest messages", \
      "use discard: new, or no size limit", check_keeps_but_evicts) \
    X(STREAM_ENDLESS, "C108", "stream-grows-without-end", NOTE, \
      "A stream has neither an age nor a size limit", \
      "see that the disk is large enough, or state max_age or max_bytes", check_stream_endless) \
    X(INTEREST_STREAM, "C109", "interest-stream", NOTE, \
      "A stream with retention: interest keeps events only for the groups that exist when they arrive", \
      "use limits when events shall be there for replays and groups made later", check_interest_stream) \
    X(INTEREST_UNREAD, "C110", "interest-event-unread", ERROR, \
      "An event in an interest stream is read by no group: the server acknowledges and drops it", \
      "let a group read it, or use retention: limits", check_interest_unread) \
    X(WORKQUEUE_GROUPS, "C111", "workqueue-groups-overlap", ERROR, \
      "Two groups read the same events of a work queue: the server refuses the second (10099, 10100)", \
      "use retention: limits, or give each event one group", check_workqueue_groups) \
    X(WORKQUEUE_REPLAY, "C112", "workqueue-replay", ERROR, \
      "A service may replay a work queue or an interest stream: the server removes what was handled", \
      "use retention: limits, or remove the grant", check_workqueue_replay) \
    X(SUBJECT_LIMIT_LOSES, "C113", "last-values-lost-to-groups", WARNING, \
      "max_msgs_per_subject may discard events before a group has read them", \
      "read the stream with `each: true` groups, or remove max_msgs_per_subject", check_subject_limit_loses) \
    X(SIZE_RESERVED, "C114", "size-reserved", NOTE, \
      "max_bytes is reserved on the servers: the sum must fit (10047)", \
      "compare it with the store size of the servers", check_size_reserved) \
    X(REPLICAS_DIFFER, "C115", "replicas-differ", NOTE, \
      "Streams of one catalog have different numbers of replicas: the least decides what survives", \
      "state num_replicas once, under defaults.stream, and let environments change it", check_replicas_differ) \
    X(EVENT_OUTSIDE, "C201", "event-outside-its-stream", ERROR, \
      "An event's subject is not among the subjects of its stream, or the stream does not exist", \
      "add the subject to the stream, or name the stream that takes it", check_event_outside) \
    X(EVENT_OVERLAP, "C202", "event-subjects-overlap", ERROR, \
      "The subjects of two event types overlap: a reader cannot tell them apart", \
      "make a fixed token differ", check_event_overlap) \
    X(EVENT_VERSION, "C203", "event-version", ERROR, \
      "An event's version is not a number from 1", \
      "count versions from 1", check_event_version) \
    X(PARAM_MISSING, "C204", "parameter-missing", ERROR, \
      "A subject's parameter has no source, or a source is given for no parameter", \
      "give each {parameter} of the subject a pointer under `params`", check_param_missing) \
    X(PARAM_NOWHERE, "C205", "parameter-points-nowhere", ERROR, \
      "A parameter's pointer leads to nothing that the payload or envelope schema requires", \
      "point to a required text, integer or boolean", check_param_nowhere) \
    X(DLQ_TOKEN, "C206", "dead-letter-token", ERROR, \
      "An event can carry the token that marks dead letters in this catalog", \
      "choose another token: a reader would take the event for a dead letter", check_dlq_token) \
    X(KEY_NOWHERE, "C207", "key-not-in-schema", ERROR, \
      "The ordering key points to nothing that the payload or envelope schema describes", \
      "describe it under `properties`, or mend the pointer", check_key_nowhere) \
    X(KEY_NOT_SCALAR, "C208", "key-not-scalar", ERROR, \
      "The ordering key is not a text, integer, number or boolean", \
      "state a scalar type for it, or use another key", check_key_not_scalar) \
    X(KEY_OPTIONAL, "C209", "key-optional", WARNING, \
      "The ordering key may be absent: events without it have no order", \
      "list it under `required`", check_key_optional) \
    X(EXAMPLE_INVALID, "C210", "example-invalid", ERROR, \
      "An example breaks its event's own schema", \
      "mend the example or the schema", check_example_invalid) \
    X(EXAMPLE_MISSING, "C211", "example-missing", NOTE, \
      "An event has no example", \
      "write one: it is checked, and it is what people read first", check_example_missing) \
    X(MONEY_NUMBER, "C212", "money-as-number", NOTE, \
      "An amount is a JSON number: weir keeps its exact text, many other readers make a binary float of it", \
      "see that every reader uses decimals, or carry the amount as text", check_money_number) \
    X(EVENT_UNREAD, "C213", "event-unread", NOTE, \
      "No group reads an event", \
      "fine for history and replay; otherwise add it to a group", check_event_unread) \
    X(SUBJECT_UNCOVERED, "C214", "subject-uncovered", ERROR, \
      "No stream takes an event's subject: the server keeps nothing and tells the publisher that nobody is there (503)", \
      "add a stream that takes the subject, and name it under `stream`", check_subject_uncovered) \
    X(EVENT_NAMED_TWICE, "C215", "event-named-twice", NOTE, \
      "An event's subject is another's with more in front: often two names for one thing", \
      "keep one of them, or see that both are meant", check_event_named_twice) \
    X(EXAMPLE_UNDESCRIBED, "C216", "example-undescribed", NOTE, \
      "An example has a member that the payload schema does not describe: often a slip of the pen", \
      "mend its name, or describe it under `properties`", check_example_undescribed) \
    X(IDEMPOTENCY_NOWHERE, "C221", "idempotency-points-nowhere", ERROR, \
      "A pointer of an idempotency key leads to nothing that the payload or envelope schema requires", \
      "point to a required text, integer or boolean, or write the word itself", check_idempotency_nowhere) \
    X(ID_REPEATS, "C217", "id-repeats", ERROR, \
      "Events share an id: the server acknowledges and drops all but the first of them as duplicates", \
      "let the id be generated (uuid7 or ulid) and carry the idempotency key as a field of its own", check_id_repeats) \
    X(UPCAST_INVALID, "C222", "up-caster-invalid", ERROR, \
      "The steps of an older version make documents that the newer version's schema refuses, or fail", \
      "mend the steps, or let the newer schema allow it", check_upcast_invalid) \
    X(UPCAST_NOWHERE, "C223", "up-caster-points-nowhere", WARNING, \
      "A step moves, renames or drops what no document of its version has", \
      "mend the pointer, or remove the step", check_upcast_nowhere) \
    X(VERSION_STAYS, "C224", "version-stays-old", WARNING, \
      "Nothing leads up from an older version, and a group that reads the current one gets it as it is stored", \
      "write `up` at the version, or state what the group reads under its `versions`", check_version_stays) \
    X(VERSION_UNSEEN, "C225", "version-unseen", ERROR, \
      "An event has older versions, and its envelope has no place for the version: nobody can tell them apart", \
      "give the envelope a field `version`", check_version_unseen) \
    X(GROUP_NOTHING, "C302", "group-reads-nothing", WARNING, \
      "A group reads no event at all, or `all` of a stream without events", \
      "add events to the group, or remove it", check_group_nothing) \
    X(GROUP_SERVICE, "C303", "group-service-unknown", ERROR, \
      "The service of a group does not exist, or is not allowed to consume the group", \
      "add the service, and the group to its `consume`", check_group_service) \
    X(MAX_DELIVER, "C304", "max-deliver-bounds", ERROR, \
      "max_deliver is not between 1 and 1000", \
      "choose a number of attempts from 1 to 1000; what fails for good goes to the dead letters", check_max_deliver) \
    X(RETRY_LONG, "C305", "retry-longer-than-attempts", WARNING, \
      "More retry delays are listed than there are retries", \
      "raise max_deliver to one more than the number of delays, or remove delays", check_retry_long) \
    X(ACK_WAIT, "C306", "ack-wait-bounds", ERROR, \
      "ack_wait is not between 100ms and 1h", \
      "choose ack_wait between 100ms and 1h; weir extends it while a handler works", check_ack_wait) \
    X(ACK_PENDING, "C307", "max-ack-pending-bounds", ERROR, \
      "max_ack_pending is not between 1 and 10000", \
      "choose 1 to 10000: a member holds as many events in memory", check_ack_pending) \
    X(EACH_LAST_VALUE, "C308", "each-needs-last-values", ERROR, \
      "An `each` group reads a stream that does not keep exactly the last value of each subject", \
      "set max_msgs_per_subject: 1 and retention: limits on the stream, or leave `each` out", check_each_last_value) \
    X(EACH_CONFLICT, "C309", "each-conflict", ERROR, \
      "An `each` group is ordered by key or served by any client, which it cannot be", \
      "leave out `order: key` and `members: any`: every instance gets the last value of each subject", check_each_conflict) \
    X(ORDER_WITHOUT_KEY, "C310", "order-without-key", WARNING, \
      "A group that is ordered by key reads an event that has no ordering key", \
      "give the event a `key`, or leave `order: key` out", check_order_without_key) \
    X(ORDER_ANY, "C311", "order-with-any-members", WARNING, \
      "A group served by any client asks for order, which only weir members keep", \
      "use members: weir, or leave `order: key` out", check_order_any) \
    X(NAK_BURNS, "C312", "nak-burns-attempts", NOTE, \
      "A group is served by any client: the server delivers again at once after a plain NAK, and hides the event when max_deliver is used up", \
      "let its clients NAK with a delay, or use members: weir, which waits and keeps dead letters", check_nak_burns) \
    X(VERSIONS_UNREAD, "C313", "group-versions-unread", ERROR, \
      "A group states versions of an event that it does not read", \
      "add the event under `from`, or remove its versions", check_versions_unread) \
    X(VERSIONS_UNLISTED, "C314", "group-versions-unlisted", ERROR, \
      "A group states a version that the event does not list", \
      "list it under the event's `versions`, or state another", check_versions_unlisted) \
    X(VERSIONS_UNREACHED, "C315", "group-versions-unreached", WARNING, \
      "Events of a version that a group does not read, and that nothing brings to one it reads, become dead letters", \
      "state the version as well, or write `up` at the versions below", check_versions_unreached) \
    X(VERSIONS_ANY, "C316", "group-versions-any-members", WARNING, \
      "A group served by any client states versions: only weir members bring events up", \
      "use members: weir, or leave `versions` out", check_versions_any) \
    X(CONSUMES_UNKNOWN, "C401", "consumed-group-unknown", ERROR, \
      "A service consumes a group, or replays a stream, that does not exist", \
      "mend the name, or define it", check_consumes_unknown) \
    X(OWNER_UNKNOWN, "C402", "owner-unknown", WARNING, \
      "An event's owner is no service of the catalog", \
      "define the service under `services`", check_owner_unknown) \
    X(EVENT_UNPUBLISHABLE, "C403", "event-unpublishable", WARNING, \
      "No service may publish an event", \
      "grant it to its owner under `publish`", check_event_unpublishable) \
    X(OWNER_CANNOT, "C404", "owner-cannot-publish", WARNING, \
      "An event's owner may not publish it, though others may", \
      "add the event's subject to the owner's `publish`", check_owner_cannot) \
    X(GRANT_NARROW, "C405", "grant-too-narrow", WARNING, \
      "A pattern that ends in `*` misses deeper subjects that look meant", \
      "end the pattern in `>`", check_grant_narrow) \
    X(GRANT_NOTHING, "C406", "pattern-matches-nothing", WARNING, \
      "A pattern of a service matches no event", \
      "mend the pattern, or remove it", check_grant_nothing) \
    X(DENY_CONTRADICTED, "C407", "deny-contradicted", ERROR, \
      "A service is granted what its own `deny` says it must not have", \
      "narrow the grant, or remove the denial", check_deny_contradicted) \
    X(DEAD_LETTER_INSIDE, "C501", "dead-letters-inside-their-source", ERROR, \
      "Dead letters would be stored in an event stream, and be delivered to its groups again", \
      "choose another dead_letter subject, or narrow the stream's subjects", check_dead_letter_inside) \
    X(DEAD_LETTER_NONE, "C502", "dead-letters-missing", WARNING, \
      "There are groups, but no dead_letter: events that fail for good have nowhere to go", \
      "add a dead_letter section to catalog.yaml", check_dead_letter_none) \
    X(DEAD_LETTER_GONE, "C503", "dead-letters-gone-too-soon", WARNING, \
      "Dead letters expire before they are retried or archived", \
      "raise dead_letter max_age", check_dead_letter_gone) \
    X(COPY_UNKEPT, "C521", "dead-letter-copy-unkept", ERROR, \
      "dead_letter.copy names a subject that the event's own stream does not take or keep", \
      "widen the stream's subjects (message.>), or leave `copy` out", check_copy_unkept) \
    X(COPY_DELIVERED, "C522", "dead-letter-copy-delivered", ERROR, \
      "A copy of a dead letter would be delivered to a group as if it were an event", \
      "choose an ending of `copy` that no event's subject can have", check_copy_delivered) \
    X(ALERT_UNKNOWN, "C504", "alert-event-unknown", ERROR, \
      "The event of dead_letter.alert does not exist", \
      "define the event, or name another", check_alert_unknown) \
    X(NAMING_BROKEN, "C505", "naming-broken", ERROR, \
      "A stream or event breaks the catalog's own naming rule", \
      "rename it, or state it under naming.except", check_naming_broken) \
    X(NAMING_EXCEPT_UNUSED, "C506", "naming-exception-unused", WARNING, \
      "An exception of the naming rule is not needed", \
      "remove it", check_naming_except_unused) \
    X(CLASS_UNUSED, "C507", "retention-class-unused", WARNING, \
      "No stream uses a retention class", \
      "remove it, or use it", check_class_unused) \
    X(DOMAIN_DIFFERS, "C508", "domain-differs", WARNING, \
      "An event is in a stream of another domain, by the catalog's own naming rule", \
      "move it to the stream of its domain, or state it under naming.except", check_domain_differs) \
    X(AUTO_RETRY_LATE, "C509", "auto-retry-after-duplicate-window", NOTE, \
      "Dead letters are retried when duplicate_window is over: the server takes for new what it stored before, only the inbox knows it", \
      "see that every handler has an inbox, or can handle an event twice", check_auto_retry_late) \
    X(DEAD_LETTER_ENDLESS, "C510", "dead-letters-without-end", NOTE, \
      "Dead letters have neither an age nor a size limit: they are kept until somebody resolves them", \
      "state max_age or max_bytes under dead_letter", check_dead_letter_endless) \
    X(BRIDGE_LOSES, "C601", "bridge-loses", WARNING, \
      "A bridge's target has no place for a field that every event has", \
      "state the field under the bridge's drop, or bridge to a dialect that has it", check_bridge_loses) \
    X(BRIDGE_LACKS, "C602", "bridge-lacks", ERROR, \
      "A bridge's target requires a field that the catalog's events do not have: no event could cross", \
      "supply it with the bridge's set", check_bridge_lacks) \
    X(BRIDGE_MAY_LACK, "C603", "bridge-may-lack", WARNING, \
      "A bridge's target requires a field that an event need not have: such an event could not cross", \
      "make it required in the envelope, or supply it with the bridge's set", check_bridge_may_lack)

/* Rules that say what servers do with such a catalog, and what that is. Each is shown on a real server by a case
 * of test/scenario/checks*_scenario.c, or a test fails. */
#define PREDICTIONS(X) \
    X(BAD_NAME, "refuses a stream with a path separator in its name (10128); other names cannot even be asked for") \
    X(BAD_SUBJECT, "refuses a stream with such a subject (10052)") \
    X(GROUP_FILTER, "makes a consumer that never gets anything when its filter is of another stream") \
    X(STREAM_OVERLAP, "refuses the second stream (10065), or the stream (10052)") \
    X(STREAM_RESERVED, "refuses a stream that takes its own subjects (10052), and takes weir's for anybody's") \
    X(DUPLICATE_WINDOW, "refuses the stream (10052)") \
    X(MEMORY_KEEPS, "has forgotten the messages, and the stream itself, when it comes back") \
    X(KEEPS_BUT_EVICTS, "removes the oldest message when a new one finds no room, in spite of deny_delete") \
    X(INTEREST_STREAM, "keeps an event until every group has acknowledged it, and no longer") \
    X(INTEREST_UNREAD, "acknowledges the event and stores nothing") \
    X(WORKQUEUE_GROUPS, "refuses the second consumer (10099, 10100)") \
    X(WORKQUEUE_REPLAY, "removes an event as soon as it is acknowledged") \
    X(SUBJECT_LIMIT_LOSES, "removes the older event of a subject, also when no group has read it") \
    X(SIZE_RESERVED, "refuses a stream whose max_bytes finds no room (10047)") \
    X(EVENT_OUTSIDE, "tells the publisher that nobody is there (503)") \
    X(SUBJECT_UNCOVERED, "tells the publisher that nobody is there (503)") \
    X(ID_REPEATS, "acknowledges the second event as a duplicate of the first and stores nothing") \
    X(NAK_BURNS, "delivers max_deliver times without a pause and then never again; the event stays in the stream, unseen") \
    X(GRANT_NARROW, "forbids a subject with one more token than a permission that ends in `*`") \
    X(DEAD_LETTER_INSIDE, "refuses the stream of dead letters (10065)") \
    X(AUTO_RETRY_LATE, "stores a message id again when duplicate_window is over")
/* clang-format on */

enum rule_symbol {
#define X(symbol, ...) RULE_##symbol,
    READING_RULES(X) CHECK_RULES(X)
#undef X
        RULE_COUNT
};

#endif
