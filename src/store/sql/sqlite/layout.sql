-- The outbox and inbox of one service. Any language inserts into outbox_events with a plain INSERT of type and payload;
-- every other column has a default or may stay NULL. Run inside one transaction; safe to run again.
CREATE TABLE IF NOT EXISTS outbox_events (
    pos             INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT NOT NULL UNIQUE DEFAULT (
                        lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2)
                              || '-' || substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2)
                              || '-' || hex(randomblob(6)))),
    type            TEXT,
    key             TEXT,
    tenant          TEXT,
    actor           TEXT,
    actor_kind      TEXT,
    source          TEXT,
    trace           TEXT,
    span            TEXT,
    idempotency_key TEXT,
    version         INTEGER,
    occurred_at     TEXT,
    created_at      TEXT DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    processed       INTEGER NOT NULL DEFAULT 0,
    processed_at    TEXT,
    stream          TEXT,
    sequence        INTEGER,
    parked_at       TEXT,
    error_class     TEXT,
    error           TEXT,
    payload         TEXT,
    CONSTRAINT "processed is 0; only the relay sets it to 1" CHECK (
        processed = 0 OR (processed = 1 AND (sequence IS NOT NULL OR error_class IS 'dropped'))),
    CONSTRAINT "payload is at most 64 MiB" CHECK (length(CAST(payload AS BLOB)) <= 67108864),
    CONSTRAINT "id, type, key and the like are at most 64 KiB" CHECK (
        max(length(id), length(coalesce(type, '')), length(coalesce(key, '')), length(coalesce(tenant, '')),
            length(coalesce(actor, '')), length(coalesce(actor_kind, '')), length(coalesce(source, '')),
            length(coalesce(trace, '')), length(coalesce(span, '')), length(coalesce(idempotency_key, '')),
            length(coalesce(version, '')), length(coalesce(occurred_at, '')), length(coalesce(created_at, ''))) <= 65536)
);

-- What the relay looks for. type stands in it so that rows of a blocked stream are skipped without being read.
CREATE INDEX IF NOT EXISTS outbox_events_pending ON outbox_events (pos, type) WHERE processed = 0 AND parked_at IS NULL;
CREATE INDEX IF NOT EXISTS outbox_events_parked ON outbox_events (pos) WHERE processed = 0 AND parked_at IS NOT NULL;

CREATE TRIGGER IF NOT EXISTS outbox_events_keep_content
BEFORE UPDATE OF pos, id, type, key, tenant, actor, actor_kind, source, trace, span, idempotency_key, version, occurred_at,
                 created_at, payload ON outbox_events
WHEN OLD.processed = 0
BEGIN
    SELECT RAISE(ABORT, 'outbox_events: a row that was not sent cannot be changed; give it up with: weir outbox drop, and insert another');
END;

CREATE TRIGGER IF NOT EXISTS outbox_events_keep_unsent
BEFORE DELETE ON outbox_events
WHEN OLD.processed = 0
BEGIN
    SELECT RAISE(ABORT, 'outbox_events: a row that was not sent cannot be deleted; give it up with: weir outbox drop');
END;

-- REPLACE deletes the row in its way without asking the trigger above. So an insert notes the unsent row that has its id,
-- and is refused when that row is gone afterwards. INSERT OR IGNORE and ON CONFLICT leave it where it is and pass.
CREATE TABLE IF NOT EXISTS outbox_guard (
    pos INTEGER NOT NULL,
    id  TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS outbox_events_note_unsent
BEFORE INSERT ON outbox_events
WHEN EXISTS (SELECT 1 FROM outbox_events WHERE id = NEW.id AND processed = 0) OR EXISTS (SELECT 1 FROM outbox_guard)
BEGIN
    DELETE FROM outbox_guard;
    INSERT INTO outbox_guard (pos, id) SELECT pos, id FROM outbox_events WHERE id = NEW.id AND processed = 0;
END;
CREATE TRIGGER IF NOT EXISTS outbox_events_keep_replaced
AFTER INSERT ON outbox_events
WHEN EXISTS (SELECT 1 FROM outbox_guard WHERE id = NEW.id AND pos NOT IN (SELECT pos FROM outbox_events WHERE id = NEW.id))
BEGIN
    SELECT RAISE(ABORT, 'outbox_events: a row that was not sent cannot be replaced; give it up with: weir outbox drop');
END;

-- Rows are sent in the order of pos: one behind the newest would never be looked at, one far ahead would use up the
-- positions. sqlite_sequence still says what it was before the statement.
CREATE TRIGGER IF NOT EXISTS outbox_events_keep_order
AFTER INSERT ON outbox_events
WHEN NEW.pos - coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'outbox_events'), 0) NOT BETWEEN 1 AND 1000000000
BEGIN
    SELECT RAISE(ABORT, 'outbox_events: pos is counted by the database; leave it out of the INSERT');
END;

-- One row per stream this outbox ever sent to: the cursor that is settled.
CREATE TABLE IF NOT EXISTS outbox_streams (
    stream      TEXT NOT NULL PRIMARY KEY,
    created     TEXT NOT NULL,
    settled_seq INTEGER NOT NULL,
    batch_no    INTEGER NOT NULL,
    settled_at  TEXT NOT NULL
) WITHOUT ROWID;

-- The outbox's own name, made once: it stands in the cursor's subject.
CREATE TABLE IF NOT EXISTS outbox_meta (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    uuid   TEXT NOT NULL,
    layout INTEGER NOT NULL
);
INSERT OR IGNORE INTO outbox_meta (one, uuid, layout) VALUES (1,
    lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2)
          || '-' || substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))), 1);

-- Events whose effects are in this database. Rows stand in the order they were handled, so old ones go from the front.
CREATE TABLE IF NOT EXISTS inbox (
    group_name TEXT NOT NULL,
    id         TEXT NOT NULL,
    stream     TEXT NOT NULL,
    created    TEXT NOT NULL,
    sequence   INTEGER NOT NULL,
    type       TEXT,
    sha256     BLOB NOT NULL,
    stored_us  INTEGER NOT NULL,
    handled_us INTEGER NOT NULL,
    PRIMARY KEY (group_name, id)
);

-- Up to here every event of the stream is done, for ever.
CREATE TABLE IF NOT EXISTS inbox_floor (
    group_name TEXT NOT NULL,
    stream     TEXT NOT NULL,
    created    TEXT NOT NULL,
    floor      INTEGER NOT NULL,
    PRIMARY KEY (group_name, stream, created)
) WITHOUT ROWID;
