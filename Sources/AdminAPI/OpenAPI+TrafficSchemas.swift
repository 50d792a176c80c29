extension OpenAPI {
    /// Schemas of what reviewers ask beside the groups: coverage, latency, rules, noise, replays.
    static let trafficSchemas = #"""
        "GroupEvent": {
          "type": "object",
          "required": ["at", "state"],
          "properties": {
            "at": {"type": "string", "format": "date-time"},
            "state": {"type": "string"},
            "actor": {"type": "string"},
            "reason": {"type": "string"}
          }
        },
        "StatusClass": {
          "type": "object",
          "required": ["seen", "compared", "mismatch"],
          "properties": {"seen": {"type": "integer"}, "compared": {"type": "integer"}, "mismatch": {"type": "integer"}}
        },
        "Coverage": {
          "type": "object",
          "required": ["seen", "sampled", "shed", "circuitOpen", "compared", "byStatusClass"],
          "properties": {
            "seen": {"type": "integer", "description": "Requests of which a verdict was given."},
            "sampled": {"type": "integer", "description": "seen without what sample left out."},
            "shed": {"type": "integer", "description": "Left out because the queue was full."},
            "circuitOpen": {"type": "integer", "description": "Left out because the other side is not asked for a while."},
            "compared": {"type": "integer"},
            "byStatusClass": {
              "type": "object",
              "description": "By the class of the primary's status: 2xx, none.",
              "additionalProperties": {"$ref": "#/components/schemas/StatusClass"}
            }
          }
        },
        "LatencySide": {
          "type": "object",
          "description": "Milliseconds, known to within a fifth.",
          "required": ["answers", "p50", "p99"],
          "properties": {"answers": {"type": "integer"}, "p50": {"type": "number"}, "p99": {"type": "number"}}
        },
        "Latency": {
          "type": "object",
          "required": [],
          "properties": {
            "monolith": {"$ref": "#/components/schemas/LatencySide"},
            "service": {"$ref": "#/components/schemas/LatencySide"}
          }
        },
        "Rule": {
          "type": "object",
          "required": ["extraction", "rule", "pairs", "differences", "compared", "dead", "expired"],
          "properties": {
            "extraction": {"type": "string"},
            "rule": {"type": "string", "description": "Like ignore $.requestId."},
            "because": {"type": "string"},
            "until": {"type": "string", "format": "date-time"},
            "pairs": {"type": "integer", "description": "Pairs of answers of which it hid something."},
            "differences": {"type": "integer"},
            "compared": {"type": "integer", "description": "Pairs compared in that time."},
            "share": {"type": "number", "description": "pairs as a part of compared, 0 to 1."},
            "lastHit": {"type": "string", "format": "date-time"},
            "dead": {"type": "boolean", "description": "It hid nothing, of at least 1,000 pairs since the files were loaded."},
            "expired": {"type": "boolean"}
          }
        },
        "Noise": {
          "type": "object",
          "required": ["extraction", "endpoint", "side", "path", "kind", "twins", "twinsDiffering", "pairs", "pairsDiffering", "exceeds"],
          "properties": {
            "extraction": {"type": "string"},
            "endpoint": {"type": "string"},
            "side": {"type": "string", "enum": ["monolith", "service"], "description": "Who was asked twice."},
            "path": {"type": "string"},
            "kind": {"type": "string", "enum": ["missing", "extra", "type", "value", "order", "length", "format"]},
            "twins": {"type": "integer", "description": "Requests that the primary was asked twice."},
            "twinsDiffering": {"type": "integer"},
            "pairs": {"type": "integer", "description": "Pairs of primary and shadow."},
            "pairsDiffering": {"type": "integer"},
            "twinRate": {"type": "number"},
            "pairRate": {"type": "number"},
            "exceeds": {"type": "boolean", "description": "The shadow differs more often than noise explains."}
          }
        },
        "Conformance": {
          "type": "object",
          "description": "How far the monolith's own answers keep the contract at one endpoint.",
          "required": ["endpoint", "checked", "violating", "unchecked", "violations"],
          "properties": {
            "endpoint": {"type": "string"},
            "checked": {"type": "integer", "description": "Answers that were held against the contract."},
            "violating": {"type": "integer", "description": "Of them, those that broke it."},
            "unchecked": {
              "type": "object", "description": "Answers that could not be, by reason.",
              "additionalProperties": {"type": "integer"}
            },
            "violations": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["violation", "count"],
                "properties": {"violation": {"type": "string"}, "count": {"type": "integer"}}
              }
            }
          }
        },
        "NoiseTotal": {
          "type": "object",
          "required": ["extraction", "pairs", "differences", "fields"],
          "properties": {
            "extraction": {"type": "string"},
            "pairs": {"type": "integer", "description": "Pairs of answers of which noise hid something."},
            "differences": {"type": "integer"},
            "fields": {"type": "integer", "description": "Fields learned, counted by endpoint."},
            "lastHit": {"type": "string", "format": "date-time"}
          }
        },
        "NoiseSummary": {
          "type": "object",
          "required": ["totals", "fields"],
          "properties": {
            "totals": {"type": "array", "items": {"$ref": "#/components/schemas/NoiseTotal"}},
            "fields": {"type": "array", "items": {"$ref": "#/components/schemas/Noise"}}
          }
        },
        "Replay": {
          "type": "object",
          "required": ["example", "examples", "method", "target", "result", "leftOut", "differences"],
          "properties": {
            "example": {"type": "integer"},
            "examples": {"type": "integer"},
            "method": {"type": "string"},
            "target": {"type": "string"},
            "result": {"type": "string", "enum": ["agrees", "differs", "failed", "skipped"]},
            "sameDifferences": {"type": "boolean", "description": "They differ in what the group is about, and nowhere else."},
            "reason": {"type": "string"},
            "leftOut": {
              "type": "array",
              "description": "Recorded fields that were not sent: redacted, cut, or of one connection.",
              "items": {"type": "string"}
            },
            "monolithStatus": {"type": "integer"},
            "serviceStatus": {"type": "integer"},
            "differences": {"type": "array", "items": {"$ref": "#/components/schemas/Difference"}}
          }
        },
        "ReplayCommand": {
          "type": "object",
          "required": [],
          "properties": {
            "example": {"type": "integer", "minimum": 0, "default": 0},
            "headers": {"type": "array", "items": {"$ref": "#/components/schemas/HeaderField"}},
            "query": {
              "type": "array",
              "items": {"$ref": "#/components/schemas/HeaderField"},
              "description": "In place of redacted values in the query, by name."
            }
          },
          "additionalProperties": false
        },
        """#
}
