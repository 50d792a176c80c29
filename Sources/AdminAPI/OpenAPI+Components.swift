extension OpenAPI {
    /// Parameters, the error answer and the schemas: the second half of the document.
    static let components = #"""
          "components": {
            "parameters": {
              "name": {
                "name": "name",
                "in": "path",
                "required": true,
                "description": "The extraction.",
                "schema": {"type": "string"}
              },
              "run": {
                "name": "run",
                "in": "path",
                "required": true,
                "description": "Number of a walk.",
                "schema": {"type": "integer", "minimum": 1}
              },
              "signature": {
                "name": "signature",
                "in": "path",
                "required": true,
                "description": "Of the group; a beginning that no other signature shares is enough.",
                "schema": {"type": "string"}
              },
              "id": {
                "name": "id",
                "in": "path",
                "required": true,
                "description": "Of a write: its Strangler-Request-Id.",
                "schema": {"type": "string", "pattern": "^[0-9A-Fa-f]{32}$"}
              },
              "actor": {
                "name": "Strangler-Actor",
                "in": "header",
                "description": "Who asks, for history. Default: api.",
                "schema": {"type": "string", "maxLength": 100}
              }
            },
            "responses": {
              "Problem": {
                "description": "Why not.",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
              }
            },
            "schemas": {
              "Stage": {
                "type": "string",
                "enum": ["identified", "contracted", "parallel", "shadow", "cutover", "fallback", "retired"]
              },
              "Weight": {"type": "number", "description": "Percent, up to two decimals.", "minimum": 0, "maximum": 100},
              "Extraction": {
                "type": "object",
                "required": [
                  "extraction", "stage", "weight", "since", "gate", "shadow", "backlog", "fallback", "storeConnected",
                  "traffic"
                ],
                "properties": {
                  "extraction": {"type": "string"},
                  "stage": {"$ref": "#/components/schemas/Stage"},
                  "weight": {"$ref": "#/components/schemas/Weight"},
                  "since": {"type": "string", "description": "When stage or weight last changed.", "format": "date-time"},
                  "weights": {"$ref": "#/components/schemas/Weights"},
                  "version": {"type": "integer", "description": "Counts every change of the state."},
                  "gate": {"$ref": "#/components/schemas/Gate"},
                  "hold": {"$ref": "#/components/schemas/Hold"},
                  "ramp": {"$ref": "#/components/schemas/Ramp"},
                  "guard": {"$ref": "#/components/schemas/Guard"},
                  "waivers": {"type": "array", "items": {"$ref": "#/components/schemas/Waiver"}},
                  "gaps": {"type": "array", "items": {"$ref": "#/components/schemas/Gap"}},
                  "replicas": {"type": "array", "items": {"$ref": "#/components/schemas/Replica"}},
                  "shadow": {"$ref": "#/components/schemas/Verdicts"},
                  "backlog": {"type": "integer", "description": "Writes that the other side has not got yet."},
                  "dualWrite": {"$ref": "#/components/schemas/DualWrite"},
                  "undecidedWrites": {
                    "type": "array",
                    "description": "The oldest dead and uncertain writes.",
                    "items": {"$ref": "#/components/schemas/Write"}
                  },
                  "fallback": {"$ref": "#/components/schemas/Fallback"},
                  "owner": {"type": "string"},
                  "problem": {"type": "string"},
                  "endpoints": {"type": "array", "items": {"$ref": "#/components/schemas/EndpointVerdicts"}},
                  "unchanged": {"type": "string", "description": "The answer to a command that had nothing to do."},
                  "storeConnected": {"type": "boolean", "description": "False: the state is the last one known."},
                  "traffic": {"$ref": "#/components/schemas/Traffic"},
                  "configuration": {"$ref": "#/components/schemas/Configuration"},
                  "rules": {"type": "array", "items": {"$ref": "#/components/schemas/Rule"}},
                  "noise": {"type": "array", "items": {"$ref": "#/components/schemas/Noise"}},
                  "noiseHidden": {"$ref": "#/components/schemas/NoiseTotal"},
                  "losses": {
                    "type": "object",
                    "description": "Evidence of the whole proxy that found no place, by what it was.",
                    "additionalProperties": {"type": "integer"}
                  },
                  "conformance": {"type": "array", "items": {"$ref": "#/components/schemas/Conformance"}}
                }
              },
              "Configuration": {
                "type": "object",
                "description": "What the whole proxy runs on.",
                "required": ["generation", "loadedAt", "digest", "current", "errors"],
                "properties": {
                  "generation": {"type": "integer", "description": "1 since the start, one more with each reload."},
                  "loadedAt": {"type": "string", "format": "date-time"},
                  "digest": {"type": "string", "description": "Of the files that are running."},
                  "current": {"type": "boolean", "description": "The files on disk are what is running."},
                  "errors": {
                    "type": "array",
                    "description": "Why the files on disk could not be loaded, with file, line and column.",
                    "items": {"type": "string"}
                  },
                  "failedAt": {"type": "string", "format": "date-time"}
                }
              },
              "Gate": {
                "type": "object",
                "required": ["next", "open", "missing", "requirements"],
                "properties": {
                  "next": {
                    "type": "string",
                    "nullable": true,
                    "enum": ["identified", "contracted", "parallel", "shadow", "cutover", "fallback", "retired", null],
                    "description": "Null at the end of the way."
                  },
                  "open": {"type": "boolean"},
                  "missing": {"type": "array", "items": {"type": "string"}},
                  "requirements": {"type": "array", "items": {"$ref": "#/components/schemas/Requirement"}}
                }
              },
              "Verdicts": {
                "type": "object",
                "description": "Verdicts since the stage was entered.",
                "required": ["compared", "match", "mismatch", "transient", "primary-failed", "shadow-failed", "not-compared"],
                "properties": {
                  "compared": {"type": "integer", "description": "match + mismatch + transient"},
                  "match": {"type": "integer"},
                  "mismatch": {"type": "integer"},
                  "accepted": {"type": "integer", "description": "Of mismatch, those of accepted groups: no gate counts them."},
                  "transient": {"type": "integer", "description": "Differed, but agreed when asked again."},
                  "primary-failed": {"type": "integer"},
                  "shadow-failed": {"type": "integer"},
                  "not-compared": {"type": "object", "description": "By reason.", "additionalProperties": {"type": "integer"}}
                }
              },
              "EndpointVerdicts": {
                "type": "object",
                "required": [
                  "endpoint", "compared", "match", "mismatch", "transient", "primary-failed", "shadow-failed",
                  "not-compared"
                ],
                "properties": {
                  "endpoint": {"type": "string"},
                  "compared": {"type": "integer", "description": "match + mismatch + transient"},
                  "match": {"type": "integer"},
                  "mismatch": {"type": "integer"},
                  "accepted": {"type": "integer", "description": "Of mismatch, those of accepted groups: no gate counts them."},
                  "transient": {"type": "integer", "description": "Differed, but agreed when asked again."},
                  "primary-failed": {"type": "integer"},
                  "shadow-failed": {"type": "integer"},
                  "not-compared": {"type": "object", "description": "By reason.", "additionalProperties": {"type": "integer"}},
                  "coverage": {"$ref": "#/components/schemas/Coverage"},
                  "latency": {"$ref": "#/components/schemas/Latency"}
                }
              },
              "Fallback": {
                "type": "object",
                "required": ["window", "elapsed", "fellBack"],
                "properties": {
                  "window": {"type": "integer", "description": "Seconds."},
                  "elapsed": {"type": "integer", "description": "Seconds; 0 before the window begins."},
                  "fellBack": {"type": "integer", "description": "Requests that the monolith answered in the service's place."},
                  "lastFellBackAt": {"type": "string", "format": "date-time"},
                  "byReason": {
                    "type": "object",
                    "description": "fellBack by reason.",
                    "additionalProperties": {"type": "integer"}
                  },
                  "byEndpoint": {
                    "type": "object",
                    "description": "fellBack by endpoint.",
                    "additionalProperties": {"type": "integer"}
                  },
                  "day": {"type": "integer", "description": "Of the window that runs, 1 on the first one."},
                  "days": {"type": "integer"},
                  "ends": {"type": "string", "format": "date-time"},
                  "warning": {"type": "string", "description": "Said in the last days."}
                }
              },
              "Traffic": {
                "type": "object",
                "description": "Requests that each side answered since this process started.",
                "required": ["monolith", "service"],
                "properties": {"monolith": {"type": "integer"}, "service": {"type": "integer"}}
              },
              "StagePoint": {
                "type": "object",
                "required": ["stage", "weight"],
                "properties": {
                  "stage": {"$ref": "#/components/schemas/Stage"},
                  "weight": {"$ref": "#/components/schemas/Weight"},
                  "writeWeight": {"$ref": "#/components/schemas/Weight"}
                }
              },
              "HistoryEntry": {
                "type": "object",
                "required": ["at", "actor", "action", "from", "to", "reason", "forced", "evidence"],
                "properties": {
                  "at": {"type": "string", "format": "date-time"},
                  "actor": {"type": "string"},
                  "action": {"type": "string"},
                  "from": {"$ref": "#/components/schemas/StagePoint"},
                  "to": {"$ref": "#/components/schemas/StagePoint"},
                  "reason": {"type": "string", "nullable": true},
                  "forced": {"type": "boolean"},
                  "evidence": {"type": "object", "nullable": true, "description": "What was known when the command was judged."},
                  "subject": {
                    "type": "string",
                    "description": "Only of `writes retry`, `writes settle`, `waive` and `unwaive`: what was decided about. They move nothing: `from` and `to` say where the extraction stood."
                  },
                  "writes": {
                    "type": "array",
                    "description": "Ids of the writes that were decided about, the last one first.",
                    "items": {"type": "string"}
                  }
                }
              },
              "GroupedDifference": {
                "type": "object",
                "required": ["path", "kind"],
                "properties": {
                  "path": {"type": "string"},
                  "kind": {"type": "string", "enum": ["missing", "extra", "type", "value", "order", "length", "format"]},
                  "noise": {"type": "boolean", "description": "The primary disagrees with itself there as often; absent while nothing is known."}
                }
              },
              \#(trafficSchemas)
              \#(machineSchemas)
              \#(progressSchemas)
              \#(reconcileSchemas)
              \#(writesSchemas)
              "Group": {
                "type": "object",
                "required": ["signature", "extraction", "endpoint", "state", "count", "differences", "firstSeen", "lastSeen"],
                "properties": {
                  "signature": {"type": "string"},
                  "extraction": {"type": "string"},
                  "endpoint": {"type": "string"},
                  "state": {"type": "string", "enum": ["new", "acknowledged", "accepted", "fixed", "regressed"]},
                  "count": {"type": "integer"},
                  "differences": {"type": "array", "items": {"$ref": "#/components/schemas/GroupedDifference"}},
                  "firstSeen": {"type": "string", "format": "date-time"},
                  "lastSeen": {"type": "string", "format": "date-time"},
                  "stateAt": {"type": "string", "format": "date-time"},
                  "stateBy": {"type": "string"},
                  "stateReason": {"type": "string"},
                  "endpointCompared": {"type": "integer", "description": "Pairs compared at the endpoint since the group was first seen."},
                  "share": {"type": "number", "description": "count as a part of endpointCompared, 0 to 1."},
                  "noise": {"type": "boolean", "description": "Every difference is the primary's own noise."},
                  "history": {"type": "array", "items": {"$ref": "#/components/schemas/GroupEvent"}}
                }
              },
              "GroupDetail": {
                "type": "object",
                "required": [
                  "signature", "extraction", "endpoint", "state", "count", "differences", "firstSeen", "lastSeen",
                  "examples"
                ],
                "properties": {
                  "signature": {"type": "string"},
                  "extraction": {"type": "string"},
                  "endpoint": {"type": "string"},
                  "state": {"type": "string", "enum": ["new", "acknowledged", "accepted", "fixed", "regressed"]},
                  "count": {"type": "integer"},
                  "differences": {"type": "array", "items": {"$ref": "#/components/schemas/GroupedDifference"}},
                  "firstSeen": {"type": "string", "format": "date-time"},
                  "lastSeen": {"type": "string", "format": "date-time"},
                  "stateAt": {"type": "string", "format": "date-time"},
                  "stateBy": {"type": "string"},
                  "stateReason": {"type": "string"},
                  "endpointCompared": {"type": "integer", "description": "Pairs compared at the endpoint since the group was first seen."},
                  "share": {"type": "number", "description": "count as a part of endpointCompared, 0 to 1."},
                  "noise": {"type": "boolean", "description": "Every difference is the primary's own noise."},
                  "history": {"type": "array", "items": {"$ref": "#/components/schemas/GroupEvent"}},
                  "examples": {"type": "array", "items": {"$ref": "#/components/schemas/Example"}}
                }
              },
              "Example": {
                "type": "object",
                "required": ["at", "request", "primary", "shadow", "differences"],
                "properties": {
                  "at": {"type": "string", "format": "date-time"},
                  "request": {"$ref": "#/components/schemas/RecordedRequest"},
                  "primary": {"$ref": "#/components/schemas/RecordedAnswer"},
                  "shadow": {"$ref": "#/components/schemas/RecordedAnswer"},
                  "differences": {"type": "array", "items": {"$ref": "#/components/schemas/Difference"}}
                }
              },
              "Difference": {
                "type": "object",
                "required": ["path", "kind", "primary", "shadow"],
                "properties": {
                  "path": {"type": "string"},
                  "pattern": {"type": "string"},
                  "kind": {"type": "string", "enum": ["missing", "extra", "type", "value", "order", "length", "format"]},
                  "primary": {"type": "string"},
                  "shadow": {"type": "string"}
                }
              },
              "HeaderField": {
                "type": "object",
                "required": ["name", "value"],
                "properties": {"name": {"type": "string"}, "value": {"type": "string"}}
              },
              "RecordedRequest": {
                "type": "object",
                "required": ["method", "target", "headers"],
                "properties": {
                  "method": {"type": "string"},
                  "target": {"type": "string"},
                  "headers": {"type": "array", "items": {"$ref": "#/components/schemas/HeaderField"}},
                  "body": {"type": "string"}
                }
              },
              "RecordedAnswer": {
                "type": "object",
                "required": ["status", "headers", "bodyBytes"],
                "properties": {
                  "status": {"type": "integer"},
                  "headers": {"type": "array", "items": {"$ref": "#/components/schemas/HeaderField"}},
                  "body": {"type": "string"},
                  "bodyBytes": {"type": "integer", "description": "Size before redaction and cutting."}
                }
              },
              "Explanation": {
                "type": "object",
                "required": ["extraction", "endpoint", "primary", "shadow", "why", "stage", "route"],
                "properties": {
                  "extraction": {"type": "string", "nullable": true},
                  "endpoint": {"type": "string"},
                  "primary": {"type": "string", "enum": ["monolith", "service"]},
                  "shadow": {"type": "string", "nullable": true, "enum": ["monolith", "service", null]},
                  "why": {"type": "string"},
                  "stage": {
                    "type": "string",
                    "nullable": true,
                    "enum": ["identified", "contracted", "parallel", "shadow", "cutover", "fallback", "retired", null]
                  },
                  "route": {"type": "string", "description": "file:line:column of the route that matched", "nullable": true}
                }
              },
              "Readiness": {
                "type": "object",
                "required": ["ready", "checks"],
                "properties": {
                  "ready": {"type": "boolean"},
                  "checks": {"type": "array", "items": {"$ref": "#/components/schemas/Check"}}
                }
              },
              "Check": {
                "type": "object",
                "required": ["name", "ok", "detail"],
                "properties": {"name": {"type": "string"}, "ok": {"type": "boolean"}, "detail": {"type": "string"}}
              },
              "Problem": {
                "type": "object",
                "description": "RFC 9457 problem details.",
                "required": ["type", "title", "status", "detail", "reasons"],
                "properties": {
                  "type": {"type": "string"},
                  "title": {"type": "string"},
                  "status": {"type": "integer"},
                  "detail": {"type": "string"},
                  "code": {"type": "string", "enum": ["not-found", "refused", "conflict", "store-unavailable", "invalid"]},
                  "reasons": {"type": "array", "items": {"type": "string"}}
                }
              },
              "AdvanceCommand": {
                "type": "object",
                "required": [],
                "properties": {
                  "to": {"$ref": "#/components/schemas/Stage"},
                  "reason": {"type": "string", "maxLength": 2000},
                  "force": {"type": "boolean", "default": false}
                },
                "additionalProperties": false
              },
              "CutoverCommand": {
                "type": "object",
                "required": ["to"],
                "properties": {
                  "to": {
                    "oneOf": [
                      {"$ref": "#/components/schemas/Weight"},
                      {
                        "type": "string",
                        "description": "Like 25% or 12.5%.",
                        "pattern": "^[0-9]{1,3}(\\.[0-9]{1,2})?%?$"
                      }
                    ]
                  },
                  "of": {"type": "string", "enum": ["all", "reads", "writes"], "default": "all"},
                  "reason": {"type": "string", "maxLength": 2000},
                  "force": {"type": "boolean", "default": false, "description": "Needs a reason."},
                  "now": {
                    "type": "boolean", "default": false,
                    "description": "Of a lower weight: affinity keys go back before the other side has all their writes."
                  }
                },
                "additionalProperties": false
              },
              "RollbackCommand": {
                "type": "object",
                "required": [],
                "properties": {
                  "reason": {"type": "string", "description": "Goes into history.", "maxLength": 2000},
                  "force": {"type": "boolean", "default": false},
                  "now": {
                    "type": "boolean", "default": false,
                    "description": "Affinity keys go back before the monolith has all their writes."
                  }
                },
                "additionalProperties": false
              },
              "GroupStateCommand": {
                "type": "object",
                "required": ["state"],
                "properties": {
                  "state": {"type": "string", "enum": ["acknowledged", "accepted", "fixed", "new"]},
                  "reason": {"type": "string", "maxLength": 2000}
                },
                "additionalProperties": false
              },
              "StageCommand": {
                "type": "object",
                "required": [],
                "properties": {
                  "reason": {"type": "string", "description": "Goes into history.", "maxLength": 2000},
                  "force": {"type": "boolean", "default": false, "description": "Override a closed gate; needs a reason."}
                },
                "additionalProperties": false
              }
            }
          }
        }
        """#
}
