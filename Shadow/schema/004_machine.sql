-- The five steps as a machine: ramps and holds, how both sides answer clients, replicas, gaps, waivers, reports.
-- Proxies of the version before go on working on it while they are replaced.

ALTER TABLE strangler.extraction_state
    -- Of writes, in hundredths of a percent; `weight` is that of reads.
    ADD COLUMN write_weight  integer CHECK (write_weight BETWEEN 0 AND 10000),
    ADD COLUMN is_ramping    boolean NOT NULL DEFAULT false,
    -- {"cause": "paused" | "breach", "by": …, "reason": …, "at": …}
    ADD COLUMN hold          json,
    ADD COLUMN baking_since  timestamptz,
    -- The `version` that the four belong to. At any other a proxy from before this migration has written, which knows
    -- nothing of them: the weight of reads holds for all, nothing rises or holds it, and it bakes since `since`.
    ADD COLUMN machine_version bigint;

-- NULL is what a proxy from before this migration writes: the weight of reads holds for all.
ALTER TABLE strangler.stage_history
    ADD COLUMN from_write_weight integer,
    ADD COLUMN to_write_weight   integer;

-- How each side answered clients, as primary. Buckets of time as in verdict_counts for two days, then hours. Requests
-- that no extraction takes have an empty `extraction` and learned templates as endpoints.
CREATE TABLE strangler.traffic_counts (
    extraction  text NOT NULL,
    endpoint    text NOT NULL,
    bucket      timestamptz NOT NULL,
    side        text NOT NULL CHECK (side IN ('monolith', 'service')),
    requests    bigint NOT NULL CHECK (requests >= 0),
    -- Of them, answered 5xx, too late or not at all.
    errors      bigint NOT NULL CHECK (errors >= 0),
    -- Of answers: bytes of their bodies, and the sum of the times to their heads.
    bytes       bigint NOT NULL CHECK (bytes >= 0),
    nanoseconds bigint NOT NULL CHECK (nanoseconds >= 0),
    -- As in latency_histograms.
    latency     bigint[] NOT NULL,
    last_at     timestamptz NOT NULL,
    PRIMARY KEY (extraction, bucket, endpoint, side)
) WITH (fillfactor = 80);

CREATE INDEX traffic_counts_by_age ON strangler.traffic_counts (bucket);

-- What is in fallback_counts, by endpoint; not of what a proxy from before this migration counts.
CREATE TABLE strangler.fallback_endpoints (
    extraction text NOT NULL,
    bucket     timestamptz NOT NULL,
    endpoint   text NOT NULL,
    reason     text NOT NULL,
    count      bigint NOT NULL CHECK (count >= 0),
    last_at    timestamptz NOT NULL,
    PRIMARY KEY (extraction, bucket, endpoint, reason)
);

-- Every running proxy. A row that is not beaten any more is one that was cut off, or died.
CREATE TABLE strangler.replicas (
    -- Made anew by each process.
    id            text PRIMARY KEY,
    host          text NOT NULL,
    process       bigint NOT NULL,
    version       text NOT NULL,
    started_at    timestamptz NOT NULL,
    beat_at       timestamptz NOT NULL,
    -- Set when it has handed over all its evidence and ended.
    stopped_at    timestamptz,
    -- {"orders": {"version": 12, "backlog": 0, "openBreakers": 0}, …}
    extractions   json NOT NULL,
    -- The Postgres backend that holds the guard's advisory lock, while it does.
    guard_backend integer
);

-- Times of which evidence is missing.
CREATE TABLE strangler.evidence_gaps (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    began    timestamptz NOT NULL,
    ended    timestamptz NOT NULL,
    replica  text NOT NULL,
    reason   text NOT NULL,
    UNIQUE (replica, began)
);

-- Somebody's word in place of evidence; append-only but for its end.
CREATE TABLE strangler.waivers (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    extraction text NOT NULL,
    -- An endpoint, or `gap 12`.
    subject    text NOT NULL,
    at         timestamptz NOT NULL,
    actor      text NOT NULL,
    reason     text NOT NULL,
    revoked_at timestamptz,
    revoked_by text
);

CREATE UNIQUE INDEX waivers_in_force ON strangler.waivers (extraction, subject) WHERE revoked_at IS NULL;

CREATE TRIGGER waivers_are_append_only
    BEFORE DELETE OR TRUNCATE ON strangler.waivers
    FOR EACH STATEMENT EXECUTE FUNCTION strangler.refuse_change();
CREATE TRIGGER waivers_only_end
    BEFORE UPDATE ON strangler.waivers FOR EACH ROW
    WHEN (OLD.revoked_at IS NOT NULL OR (OLD.id, OLD.extraction, OLD.subject, OLD.at, OLD.actor, OLD.reason)
          IS DISTINCT FROM (NEW.id, NEW.extraction, NEW.subject, NEW.at, NEW.actor, NEW.reason))
    EXECUTE FUNCTION strangler.refuse_change();

-- What retiring an extraction leaves behind: the code that may be deleted.
CREATE TABLE strangler.retire_reports (
    extraction text NOT NULL,
    at         timestamptz NOT NULL,
    report     json NOT NULL,
    PRIMARY KEY (extraction, at)
);

-- How far the monolith's answers keep the contract. A contract that was changed counts anew.
CREATE TABLE strangler.contract_conformance (
    extraction text NOT NULL,
    -- The contract's fingerprint.
    contract   text NOT NULL,
    -- Of the contract: `GET /api/v1/orders/{id}`.
    endpoint   text NOT NULL,
    -- Answers held against it, answers that broke it; by reason, answers that could not be held against it; by sentence,
    -- answers that broke it there.
    kind       text NOT NULL CHECK (kind IN ('checked', 'violating', 'unchecked', 'violation')),
    what       text NOT NULL,
    count      bigint NOT NULL CHECK (count >= 0),
    last_at    timestamptz NOT NULL,
    PRIMARY KEY (extraction, contract, endpoint, kind, what)
) WITH (fillfactor = 80);
