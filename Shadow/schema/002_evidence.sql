-- What comparing the two systems has shown.

-- One row per bucket of time, not per request. A bucket begins with each minute, and anew at each change of stage
-- within one, so that "since this stage was entered" is exact.
CREATE TABLE strangler.verdict_counts (
    extraction text NOT NULL,
    endpoint   text NOT NULL,
    bucket     timestamptz NOT NULL,
    verdict    text NOT NULL,
    -- Empty where the verdict needs none.
    reason     text NOT NULL,
    count      bigint NOT NULL CHECK (count >= 0),
    PRIMARY KEY (extraction, bucket, endpoint, verdict, reason)
);

-- Requests that the monolith answered because the service could not.
CREATE TABLE strangler.fallback_counts (
    extraction text NOT NULL,
    bucket     timestamptz NOT NULL,
    reason     text NOT NULL,
    count      bigint NOT NULL CHECK (count >= 0),
    last_at    timestamptz NOT NULL,
    PRIMARY KEY (extraction, bucket, reason)
);

-- Mismatches with the same cause; reviewers work on these.
CREATE TABLE strangler.mismatch_groups (
    signature        text PRIMARY KEY,
    extraction       text NOT NULL,
    endpoint         text NOT NULL,
    -- [{"path": …, "kind": …}]
    differences      json NOT NULL,
    state            text NOT NULL DEFAULT 'new' CHECK (state IN (
                         'new', 'acknowledged', 'accepted', 'fixed', 'regressed')),
    count            bigint NOT NULL CHECK (count >= 0),
    first_seen       timestamptz NOT NULL,
    last_seen        timestamptz NOT NULL,
    state_changed_at timestamptz,
    state_changed_by text,
    state_changed_why text
);

CREATE INDEX mismatch_groups_by_frequency ON strangler.mismatch_groups (extraction, count DESC);

-- A few recorded pairs per group. The type is json and not jsonb, which would rewrite the number lexemes that a
-- comparison may be about (1.0 and 1.00 are different answers).
CREATE TABLE strangler.mismatch_examples (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    signature      text NOT NULL REFERENCES strangler.mismatch_groups ON DELETE CASCADE,
    at             timestamptz NOT NULL,
    differences    json NOT NULL,
    request        json NOT NULL,
    primary_answer json NOT NULL,
    shadow_answer  json NOT NULL
);

CREATE INDEX mismatch_examples_by_signature ON strangler.mismatch_examples (signature, id);
