-- What people decided about writes belongs to an extraction's history, for longer than the writes themselves are kept.
-- Proxies of the version before go on working on it while they are replaced; their decisions are known by the writes.

ALTER TABLE strangler.write_decisions ADD COLUMN extraction text, ADD COLUMN endpoint text;

-- Filling in what was always so is no change of what was said.
ALTER TABLE strangler.write_decisions DISABLE TRIGGER write_decisions_are_append_only;
UPDATE strangler.write_decisions AS decision SET extraction = written.extraction, endpoint = written.endpoint
FROM strangler.writes AS written WHERE written.id = decision.write_id;
ALTER TABLE strangler.write_decisions ENABLE TRIGGER write_decisions_are_append_only;

CREATE INDEX write_decisions_by_extraction ON strangler.write_decisions (extraction, id);
