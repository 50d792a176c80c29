-- Dual-write as a ledger: every write that both sides get, as it came out of the replicas' spools; what its two names are;
-- what people decided about it; gaps by extraction; walks that reconcile.
-- Proxies of the version before go on working on it while they are replaced.

-- One row for each dual-written exchange. Filed from a spool, again and again if need be: a row only ever moves on.
CREATE TABLE strangler.writes (
    -- The request's id: 32 hexadecimal digits.
    id             text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{32}$'),
    extraction     text NOT NULL,
    -- As in verdict_counts: `PATCH /api/v1/orders/{id}`.
    endpoint       text NOT NULL,
    -- The 64 bits of the lane, and the place in it on the machine that took the write.
    lane           bigint NOT NULL,
    -- Microseconds since 1970, or the next number that is free. Delivered again by a person, a write has a higher one.
    sequence       bigint NOT NULL,
    -- In whose log its last record stands.
    spool          text NOT NULL,
    is_retried     boolean NOT NULL DEFAULT false,
    -- Who was to answer, and who did.
    primary_side   text NOT NULL CHECK (primary_side IN ('monolith', 'service')),
    answered_by    text CHECK (answered_by IN ('monolith', 'service')),
    -- intent: the primary's outcome is not known yet. accepted: the other side is owed it.
    state          text NOT NULL
        CHECK (state IN ('intent', 'accepted', 'delivered', 'settled', 'refused', 'dead', 'uncertain')),
    attempts       integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    primary_status integer,
    other_status   integer,
    -- Why it is dead, uncertain, or was not delivered.
    reason         text,
    -- Path on the answering side at which what was written can be read.
    entity         text,
    received_at    timestamptz NOT NULL,
    changed_at     timestamptz NOT NULL DEFAULT now(),
    -- What delivering it again takes, as the spool had it (encrypted, where that is); of dead and uncertain ones only.
    payload        bytea
) WITH (fillfactor = 80);

CREATE INDEX writes_open ON strangler.writes (extraction, state, received_at)
    WHERE state IN ('intent', 'accepted', 'delivered', 'dead', 'uncertain');
CREATE INDEX writes_by_time ON strangler.writes (extraction, received_at);
-- Each entity once, in an order that every replica and every later run agrees on.
CREATE INDEX writes_by_entity ON strangler.writes (extraction, entity COLLATE "C", received_at)
    WHERE entity IS NOT NULL;

-- What people decided about writes that were dead or uncertain. Append-only.
CREATE TABLE strangler.write_decisions (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    write_id text NOT NULL,
    at       timestamptz NOT NULL DEFAULT now(),
    actor    text NOT NULL,
    decision text NOT NULL CHECK (decision IN ('retry', 'settle')),
    reason   text NOT NULL
);
CREATE INDEX write_decisions_by_write ON strangler.write_decisions (write_id);
CREATE TRIGGER write_decisions_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON strangler.write_decisions
    FOR EACH STATEMENT EXECUTE FUNCTION strangler.refuse_change();

-- One thing's names in the two systems.
CREATE TABLE strangler.identity_pairs (
    extraction text NOT NULL,
    -- The field of the rule that it was learned by.
    kind       text NOT NULL,
    monolith   text NOT NULL,
    service    text NOT NULL,
    -- How answers give them in JSON: 1 the monolith a number, 2 a string; 4 the service a number, 8 a string. 0: not known.
    spelling   smallint NOT NULL DEFAULT 0,
    learned_at timestamptz NOT NULL DEFAULT now(),
    -- The write that both sides answered.
    write_id   text,
    PRIMARY KEY (extraction, kind, monolith)
);
CREATE UNIQUE INDEX identity_pairs_by_service ON strangler.identity_pairs (extraction, kind, service);

-- A gap of one extraction; NULL: of all, as everything is that a proxy from before this migration records.
ALTER TABLE strangler.evidence_gaps ADD COLUMN extraction text;

-- The `version` at which a rollback was asked for `--now`: at it lanes change sides at once.
ALTER TABLE strangler.extraction_state ADD COLUMN flip_now_version bigint;

-- Walks over what was written in a period, that compare both sides and may repair.
CREATE TABLE strangler.reconcile_runs (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    extraction text NOT NULL,
    began_at   timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    actor      text NOT NULL,
    reason     text,
    period_from timestamptz NOT NULL,
    period_to   timestamptz NOT NULL,
    repairs    boolean NOT NULL,
    -- Where to go on: the last entity that was looked at.
    cursor     text,
    -- {"total": …, "checked": …, "same": …, "differs": …, "repaired": …, "unreadable": …}
    counts     json NOT NULL,
    -- The first of those that differ: [{"entity": …, "differences": […]}, …]
    found      json NOT NULL DEFAULT '[]'
);
CREATE INDEX reconcile_runs_by_extraction ON strangler.reconcile_runs (extraction, id);
