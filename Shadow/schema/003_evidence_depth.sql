-- How long both sides took, what rules hid, where the primary disagrees with itself, what was lost, who decided what;
-- and examples that expire by day.

-- Of the primary's answer: 2 for 2xx and so on, 0 where there was none, and in rows from before this migration.
ALTER TABLE strangler.verdict_counts
    ADD COLUMN status_class smallint NOT NULL DEFAULT 0 CHECK (status_class BETWEEN 0 AND 9),
    DROP CONSTRAINT verdict_counts_pkey,
    ADD PRIMARY KEY (extraction, bucket, endpoint, verdict, reason, status_class),
    -- A counter is updated every second of its minute: room for that on its own page.
    SET (fillfactor = 80);

-- For "how many pairs were compared at this endpoint since".
CREATE INDEX verdict_counts_by_endpoint ON strangler.verdict_counts (extraction, endpoint, bucket);
-- For expiry: rows lie in the order of their buckets.
CREATE INDEX verdict_counts_by_age ON strangler.verdict_counts USING brin (bucket);

-- Element by element; the shorter one is filled up with zeros.
CREATE FUNCTION strangler.add_counts(a bigint[], b bigint[]) RETURNS bigint[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(coalesce(x, 0) + coalesce(y, 0) ORDER BY place), '{}')
    FROM unnest(a, b) WITH ORDINALITY AS pair (x, y, place)
$$;

CREATE AGGREGATE strangler.total_counts(bigint[]) (
    SFUNC = strangler.add_counts, STYPE = bigint[], INITCOND = '{}', PARALLEL = SAFE
);

-- Buckets of time as in verdict_counts for a day, then hours (which begin anew at the current stage's beginning, too).
CREATE TABLE strangler.latency_histograms (
    extraction text NOT NULL,
    endpoint   text NOT NULL,
    bucket     timestamptz NOT NULL,
    side       text NOT NULL CHECK (side IN ('monolith', 'service')),
    -- Answers per bucket of duration: four to an octave from 100 µs on, 96 at most, without the zeros at the end.
    counts     bigint[] NOT NULL,
    PRIMARY KEY (extraction, bucket, endpoint, side)
) WITH (fillfactor = 80);

CREATE INDEX latency_histograms_by_age ON strangler.latency_histograms (bucket);

-- What each rule of a rules file has hidden, by the UTC day on which it was stored.
CREATE TABLE strangler.rule_hits (
    extraction  text NOT NULL,
    -- The rule by what it says, so that one that was rewritten counts anew: `ignore $.requestId`.
    rule        text NOT NULL,
    day         date NOT NULL,
    -- Pairs of answers of which it hid something.
    pairs       bigint NOT NULL CHECK (pairs >= 0),
    differences bigint NOT NULL CHECK (differences >= 0),
    last_at     timestamptz NOT NULL,
    PRIMARY KEY (extraction, rule, day)
) WITH (fillfactor = 80);

-- In how many comparisons a field differed: between two answers of the primary (twins), and between primary and shadow
-- (pairs). The row whose path is empty holds how many there were in all.
CREATE TABLE strangler.noise_counts (
    extraction text NOT NULL,
    endpoint   text NOT NULL,
    -- Who was primary.
    side       text NOT NULL CHECK (side IN ('monolith', 'service')),
    day        date NOT NULL,
    path       text NOT NULL,
    kind       text NOT NULL,
    twins      bigint NOT NULL CHECK (twins >= 0),
    pairs      bigint NOT NULL CHECK (pairs >= 0),
    PRIMARY KEY (day, extraction, endpoint, side, path, kind)
) WITH (fillfactor = 80);

-- What found no place, by the UTC day on which that was stored. Verdicts are never among it.
CREATE TABLE strangler.evidence_losses (
    -- `examples-dropped`, `mismatches-ungrouped`, …
    kind  text NOT NULL,
    day   date NOT NULL,
    count bigint NOT NULL CHECK (count >= 0),
    PRIMARY KEY (kind, day)
) WITH (fillfactor = 50);

-- An index with the count in it would have to be written whenever a group is counted.
DROP INDEX strangler.mismatch_groups_by_frequency;
CREATE INDEX mismatch_groups_by_endpoint ON strangler.mismatch_groups (extraction, endpoint);
ALTER TABLE strangler.mismatch_groups SET (fillfactor = 70);

-- Every change of what is thought of a group. Not bound to its group: a history outlives what it tells of.
CREATE TABLE strangler.group_history (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    signature  text NOT NULL,
    at         timestamptz NOT NULL,
    actor      text NOT NULL,
    -- NULL where nobody wrote it down: the last change before this migration.
    from_state text,
    to_state   text NOT NULL,
    reason     text
);

CREATE INDEX group_history_by_signature ON strangler.group_history (signature, id);

INSERT INTO strangler.group_history (signature, at, actor, to_state, reason)
SELECT signature, state_changed_at, coalesce(state_changed_by, 'unknown'), state, state_changed_why
FROM strangler.mismatch_groups WHERE state_changed_at IS NOT NULL ORDER BY state_changed_at, signature;

CREATE TRIGGER group_history_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON strangler.group_history
    FOR EACH STATEMENT EXECUTE FUNCTION strangler.refuse_change();

-- A trigger knows the state that was replaced even when two replicas count a group at once.
CREATE FUNCTION strangler.remember_group_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO strangler.group_history (signature, at, actor, from_state, to_state, reason)
    VALUES (NEW.signature, coalesce(NEW.state_changed_at, now()), coalesce(NEW.state_changed_by, 'unknown'), OLD.state,
            NEW.state, NEW.state_changed_why);
    RETURN NULL;
END
$$;

CREATE TRIGGER mismatch_groups_remember_state
    AFTER UPDATE ON strangler.mismatch_groups FOR EACH ROW
    WHEN ((OLD.state, OLD.state_changed_at, OLD.state_changed_by, OLD.state_changed_why)
          IS DISTINCT FROM (NEW.state, NEW.state_changed_at, NEW.state_changed_by, NEW.state_changed_why))
    EXECUTE FUNCTION strangler.remember_group_state();

-- Examples are large and expire: one partition per UTC day, so that a day goes with one DROP and leaves no holes.
-- Partitions are made when they are needed. There is none for "any other day": it could never be dropped.
ALTER TABLE strangler.mismatch_examples RENAME TO mismatch_examples_002;
ALTER TABLE strangler.mismatch_examples_002 RENAME CONSTRAINT mismatch_examples_pkey TO mismatch_examples_002_pkey;
DROP INDEX strangler.mismatch_examples_by_signature;

CREATE TABLE strangler.mismatch_examples (
    id             bigint GENERATED ALWAYS AS IDENTITY,
    signature      text NOT NULL REFERENCES strangler.mismatch_groups ON DELETE CASCADE,
    at             timestamptz NOT NULL,
    -- json and not jsonb, as before: number lexemes stay what they are.
    differences    json NOT NULL,
    request        json NOT NULL,
    primary_answer json NOT NULL,
    shadow_answer  json NOT NULL,
    PRIMARY KEY (signature, at, id)
) PARTITION BY RANGE (at);

-- Makes the partition of one UTC day unless it is there; any number of replicas may ask at once.
--
-- ATTACH instead of PARTITION OF, which would lock out readers and writers of all other days. The groups, to which the
-- foreign key leads, are locked first, as everybody who locks both does.
CREATE FUNCTION strangler.create_example_partition(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text := 'mismatch_examples_' || to_char(day, 'YYYYMMDD');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('strangler.mismatch_examples', 0));
    IF EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'strangler.mismatch_examples'::regclass
                   AND inhrelid = to_regclass('strangler.' || name)) THEN
        RETURN;
    END IF;
    LOCK TABLE strangler.mismatch_groups IN SHARE ROW EXCLUSIVE MODE;
    EXECUTE format('CREATE TABLE strangler.%I (LIKE strangler.mismatch_examples INCLUDING ALL EXCLUDING IDENTITY)', name);
    EXECUTE format('ALTER TABLE strangler.mismatch_examples ATTACH PARTITION strangler.%I FOR VALUES FROM (%L) TO (%L)',
        name, day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
END
$$;

SELECT strangler.create_example_partition(day)
FROM (SELECT DISTINCT (at AT TIME ZONE 'UTC')::date AS day FROM strangler.mismatch_examples_002) AS days;

INSERT INTO strangler.mismatch_examples (id, signature, at, differences, request, primary_answer, shadow_answer)
OVERRIDING SYSTEM VALUE
SELECT id, signature, at, differences, request, primary_answer, shadow_answer
FROM strangler.mismatch_examples_002 ORDER BY id;

SELECT setval(pg_get_serial_sequence('strangler.mismatch_examples', 'id'),
    (SELECT coalesce(max(id), 0) + 1 FROM strangler.mismatch_examples_002), false);

DROP TABLE strangler.mismatch_examples_002;
