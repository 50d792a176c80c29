-- Where each extraction stands, and how it got there.

CREATE TABLE strangler.extraction_state (
    name              text PRIMARY KEY,
    stage             text NOT NULL CHECK (stage IN (
                          'identified', 'contracted', 'parallel', 'shadow', 'cutover', 'fallback', 'retired')),
    -- Hundredths of a percent.
    weight            integer NOT NULL CHECK (weight BETWEEN 0 AND 10000),
    since             timestamptz NOT NULL,
    -- Raised by one with each change; a change states the version it was judged on (compare-and-set).
    version           bigint NOT NULL CHECK (version > 0),
    window_started_at timestamptz
);

CREATE TABLE strangler.stage_history (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    extraction  text NOT NULL,
    -- The version that this change produced.
    version     bigint NOT NULL,
    at          timestamptz NOT NULL,
    actor       text NOT NULL,
    action      text NOT NULL,
    from_stage  text NOT NULL,
    from_weight integer NOT NULL,
    to_stage    text NOT NULL,
    to_weight   integer NOT NULL,
    reason      text,
    forced      boolean NOT NULL,
    -- What was known when the change was decided.
    evidence    json,
    UNIQUE (extraction, version)
);

CREATE FUNCTION strangler.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history is append-only: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER stage_history_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON strangler.stage_history
    FOR EACH STATEMENT EXECUTE FUNCTION strangler.refuse_change();
