-- What stands beside the table of events.

-- One row per stream this outbox ever sent to: the cursor that is settled.
CREATE TABLE IF NOT EXISTS outbox_streams (
    stream      text PRIMARY KEY,
    created     text NOT NULL,
    settled_seq bigint NOT NULL,
    batch_no    bigint NOT NULL,
    settled_at  timestamptz NOT NULL
);

-- The outbox's own name, made once: it stands in the cursor's subject. Which table holds the events, and how it was made. What
-- following the log has to remember: slot, the last position confirmed to it, and the cluster both belong to.
CREATE TABLE IF NOT EXISTS outbox_meta (
    one               integer PRIMARY KEY DEFAULT 1 CHECK (one = 1),
    uuid              text NOT NULL DEFAULT gen_random_uuid()::text,
    layout            integer NOT NULL,
    preset            text NOT NULL,
    events            regclass NOT NULL,
    columns           json NOT NULL,
    slot              text,
    confirmed_lsn     pg_lsn,
    system_identifier bigint
);

-- Who relays. It spares work only, so it need not outlive a crash.
CREATE UNLOGGED TABLE IF NOT EXISTS outbox_lease (
    one           integer PRIMARY KEY DEFAULT 1 CHECK (one = 1),
    pid           integer NOT NULL,
    application   text NOT NULL,
    backend_start timestamptz NOT NULL,
    until         timestamptz NOT NULL
);

-- Until when the relay sleeps, in seconds of the epoch; 0: it is awake. A sequence, because its value is seen at once, by old
-- snapshots too, and leaves no dead rows; unlogged, because a crash wakes everybody.
-- The relay: setval('outbox_wake', the second at which it wakes up by itself), then one more look, then it listens on the channel
-- weir_outbox. A transaction that asked before and commits after that look sends nothing: only looking again in time finds it.
-- Only a sleeper is told, because a commit that notifies takes a lock of the whole cluster: four writers that always did fell from
-- 1,090 to 320 commits a second, and asking costs nothing that could be measured.
CREATE UNLOGGED SEQUENCE IF NOT EXISTS outbox_wake AS bigint MINVALUE 0 START WITH 0;
GRANT SELECT ON SEQUENCE outbox_wake TO PUBLIC; -- asked by who inserts

-- Events whose effects are in this database.
CREATE TABLE IF NOT EXISTS inbox (
    group_name text NOT NULL,
    id         text NOT NULL,
    stream     text NOT NULL,
    created    text NOT NULL,
    sequence   bigint NOT NULL,
    type       text,
    sha256     bytea NOT NULL,
    stored_us  bigint NOT NULL,
    handled_us bigint NOT NULL,
    PRIMARY KEY (group_name, id)
);

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'inbox'::regclass AND attname = 'group_name') THEN
        RAISE WARNING 'the table inbox was there and is somebody else''s: no group can keep its effects in this database';
    END IF;
END $$;

-- Up to here every event of the stream is done, for ever.
CREATE TABLE IF NOT EXISTS inbox_floor (
    group_name text NOT NULL,
    stream     text NOT NULL,
    created    text NOT NULL,
    floor      bigint NOT NULL,
    PRIMARY KEY (group_name, stream, created)
);

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM outbox_meta) THEN
        INSERT INTO outbox_meta (layout, preset, events, columns)
        VALUES (1, current_setting('weir.preset'), current_setting('weir.events')::regclass, current_setting('weir.columns')::json);
    END IF;
END $$;
