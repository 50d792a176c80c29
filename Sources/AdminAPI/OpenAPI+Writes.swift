extension OpenAPI {
    /// Writes that go to both sides.
    static let writesPaths = #"""
        "/api/v1/extractions/{name}/writes": {
              "get": {
                "operationId": "writes",
                "summary": "How far one side is behind the other, and the writes that have not come to their end.",
                "parameters": [
                  {"$ref": "#/components/parameters/name"},
                  {
                    "name": "state",
                    "in": "query",
                    "required": false,
                    "description": "Without it, all that have not come to their end.",
                    "schema": {"type": "string", "enum": ["open", "dead", "uncertain", "settled", "refused"]}
                  },
                  {
                    "name": "endpoint",
                    "in": "query",
                    "required": false,
                    "schema": {"type": "string", "description": "As the list shows it: POST /api/v1/orders."}
                  },
                  {
                    "name": "after",
                    "in": "query",
                    "required": false,
                    "description": "`next` of the page before; `before` means the same.",
                    "schema": {"type": "string"}
                  },
                  {
                    "name": "limit",
                    "in": "query",
                    "required": false,
                    "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Writes"}}}
                  },
                  "400": {"$ref": "#/components/responses/Problem"},
                  "404": {"$ref": "#/components/responses/Problem"},
                  "503": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/api/v1/writes/{id}/retry": {
              "post": {
                "operationId": "retryWrite",
                "summary": "Have a dead or uncertain write delivered once more.",
                \#(decision)
              }
            },
            "/api/v1/writes/{id}/settle": {
              "post": {
                "operationId": "settleWrite",
                "summary": "Nothing is left to do about a write that nobody delivers any more: somebody has seen to it.",
                \#(decision)
              }
            },
        """#

    private static let decision = #"""
        "parameters": [{"$ref": "#/components/parameters/id"}, {"$ref": "#/components/parameters/actor"}],
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/WriteDecision"}}}
                },
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Write"}}}
                  },
                  "400": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"},
                  "404": {"$ref": "#/components/responses/Problem"},
                  "409": {"$ref": "#/components/responses/Problem"},
                  "413": {"$ref": "#/components/responses/Problem"},
                  "415": {"$ref": "#/components/responses/Problem"},
                  "503": {"$ref": "#/components/responses/Problem"}
                }
        """#

    static let writesSchemas = #"""
        "Owed": {
          "type": "object",
          "description": "Writes that one side has taken and the other has not got yet.",
          "required": ["writes", "seconds"],
          "properties": {
            "writes": {"type": "integer"},
            "seconds": {"type": "number", "description": "Since the oldest of them was received."}
          }
        },
        "DualWrite": {
          "type": "object",
          "description": "How the writes of the extraction stand, on all replicas.",
          "required": ["toMonolith", "toService", "underWay", "paused", "lost", "undrained", "flipsAtOnce"],
          "properties": {
            "toMonolith": {"$ref": "#/components/schemas/Owed"},
            "toService": {"$ref": "#/components/schemas/Owed"},
            "underWay": {"type": "integer", "description": "Their primary has not answered yet."},
            "paused": {"type": "integer", "description": "Of the owed ones: wait for a circuit breaker or an identity."},
            "lost": {"type": "integer", "description": "Of the owed ones: in spools that no running proxy holds."},
            "undrained": {"type": "integer", "description": "The same as `undrainedBytes`."},
            "undrainedBytes": {"type": "integer", "description": "Of the spools: what Postgres has not got yet."},
            "refused": {
              "type": "object",
              "description": "Writes that could not be on record and were answered 503 or 413, by reason, since each proxy was started.",
              "additionalProperties": {"type": "integer"}
            },
            "unrecorded": {
              "type": "object",
              "description": "Writes that could not be on record and went to their primary alone, likewise.",
              "additionalProperties": {"type": "integer"}
            },
            "identityConflicts": {
              "type": "integer",
              "description": "Pairs of identities that contradicted a known one and were not taken, likewise."
            },
            "dead": {"type": "integer", "description": "Given up. Missing while Postgres is away."},
            "uncertain": {
              "type": "integer",
              "description": "Nobody knows whether the primary has carried them out. Missing while Postgres is away."
            },
            "flipsAtOnce": {
              "type": "boolean",
              "description": "Affinity keys change sides without waiting for their writes, as asked for with `now`."
            }
          }
        },
        "Write": {
          "type": "object",
          "required": [
            "id", "extraction", "endpoint", "state", "to", "receivedAt", "changedAt", "attempts", "retried"
          ],
          "properties": {
            "id": {"type": "string", "description": "Its Strangler-Request-Id.", "pattern": "^[0-9a-f]{32}$"},
            "extraction": {"type": "string"},
            "endpoint": {"type": "string"},
            "state": {
              "type": "string",
              "enum": ["intent", "accepted", "delivered", "settled", "refused", "dead", "uncertain"]
            },
            "to": {"type": "string", "enum": ["monolith", "service"]},
            "receivedAt": {"type": "string", "format": "date-time"},
            "changedAt": {"type": "string", "format": "date-time"},
            "attempts": {"type": "integer"},
            "primaryStatus": {"type": "integer"},
            "otherStatus": {"type": "integer"},
            "reason": {"type": "string"},
            "retried": {"type": "boolean"}
          }
        },
        "Writes": {
          "type": "object",
          "required": ["extraction", "dualWrite", "settledLastDay", "writes"],
          "properties": {
            "extraction": {"type": "string"},
            "dualWrite": {"$ref": "#/components/schemas/DualWrite"},
            "settledLastDay": {"type": "integer", "description": "At most 100000 are counted."},
            "writes": {
              "type": "array",
              "description": "Not at their end: the oldest first, as they are delivered. Settled and refused ones: the newest first.",
              "items": {"$ref": "#/components/schemas/Write"}
            },
            "total": {
              "type": "integer",
              "description": "How many there are from this page on; missing: more than 100000."
            },
            "next": {"type": "string", "description": "To be said as `after`; missing on the last page."}
          }
        },
        "WriteDecision": {
          "type": "object",
          "required": ["reason"],
          "properties": {"reason": {"type": "string", "maxLength": 2000}},
          "additionalProperties": false
        },
        """#
}
