extension OpenAPI {
    static let reconcilePaths = #"""
        "/api/v1/extractions/{name}/reconcile": {
              "get": {
                "operationId": "reconcileRuns",
                "summary": "Walks over what was written, the newest first.",
                "parameters": [
                  {"$ref": "#/components/parameters/name"},
                  {
                    "name": "limit",
                    "in": "query",
                    "required": false,
                    "description": "At most so many.",
                    "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 10}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {
                      "application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Reconcile"}}}
                    }
                  },
                  "400": {"$ref": "#/components/responses/Problem"},
                  "404": {"$ref": "#/components/responses/Problem"},
                  "503": {"$ref": "#/components/responses/Problem"}
                }
              },
              "post": {
                "operationId": "reconcile",
                "summary": "Begin a walk over what was written in a period; each step is asked for by itself.",
                "parameters": [{"$ref": "#/components/parameters/name"}, {"$ref": "#/components/parameters/actor"}],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "properties": {
                          "from": {"type": "string", "format": "date-time", "description": "A day ago, if it is missing."},
                          "to": {"type": "string", "format": "date-time", "description": "Now, if it is missing."},
                          "repair": {"type": "boolean", "default": false},
                          "reason": {"type": "string", "description": "A repair needs one."}
                        }
                      }
                    }
                  }
                },
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Reconcile"}}}
                  },
                  "400": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"},
                  "404": {"$ref": "#/components/responses/Problem"},
                  "409": {"$ref": "#/components/responses/Problem"},
                  "413": {"$ref": "#/components/responses/Problem"},
                  "415": {"$ref": "#/components/responses/Problem"},
                  "503": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/api/v1/extractions/{name}/reconcile/{run}": {
              "post": {
                "operationId": "reconcileStep",
                "summary": "Go on with a walk for about a second; where it stands is stored.",
                "parameters": [
                  {"$ref": "#/components/parameters/name"},
                  {"$ref": "#/components/parameters/run"},
                  {"$ref": "#/components/parameters/actor"}
                ],
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "properties": {
                          "headers": {
                            "type": "array",
                            "description": "Sent to both sides with every request; not stored.",
                            "items": {"$ref": "#/components/schemas/HeaderField"}
                          },
                          "rate": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 50}
                        }
                      }
                    }
                  }
                },
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Reconcile"}}}
                  },
                  "400": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"},
                  "404": {"$ref": "#/components/responses/Problem"},
                  "409": {"$ref": "#/components/responses/Problem"},
                  "413": {"$ref": "#/components/responses/Problem"},
                  "415": {"$ref": "#/components/responses/Problem"},
                  "503": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
        """#

    static let reconcileSchemas = #"""
        "Reconcile": {
          "type": "object",
          "required": ["run", "extraction", "beganAt", "actor", "from", "to", "repair", "counts", "found"],
          "properties": {
            "run": {"type": "integer"},
            "extraction": {"type": "string"},
            "beganAt": {"type": "string", "format": "date-time"},
            "endedAt": {"type": "string", "format": "date-time", "description": "Missing: it can go on."},
            "actor": {"type": "string"},
            "reason": {"type": "string"},
            "from": {"type": "string", "format": "date-time"},
            "to": {"type": "string", "format": "date-time"},
            "repair": {"type": "boolean"},
            "counts": {
              "type": "object",
              "description": "Entities. `checked` is the sum of those behind it; `nameless` are writes that name no entity.",
              "required": [
                "total", "checked", "same", "repaired", "differs", "missing", "behind", "unreadable", "nameless"
              ],
              "properties": {
                "total": {"type": "integer"}, "checked": {"type": "integer"}, "same": {"type": "integer"},
                "repaired": {"type": "integer"}, "differs": {"type": "integer"}, "missing": {"type": "integer"},
                "behind": {"type": "integer"}, "unreadable": {"type": "integer"}, "nameless": {"type": "integer"}
              }
            },
            "found": {
              "type": "array",
              "description": "What is not the same, or was not; the first of many.",
              "items": {
                "type": "object",
                "required": ["entity", "result", "primary"],
                "properties": {
                  "entity": {"type": "string"},
                  "result": {
                    "type": "string", "enum": ["same", "repaired", "differs", "missing", "behind", "unreadable"]
                  },
                  "primary": {
                    "type": "string", "enum": ["monolith", "service"], "description": "Whose representation counts."
                  },
                  "differences": {"type": "array", "items": {"$ref": "#/components/schemas/Difference"}},
                  "reason": {"type": "string"}
                }
              }
            },
            "halted": {"type": "string", "description": "Why the last step went no further: a side does not answer."}
          }
        },
        """#
}
