extension OpenAPI {
    /// Candidates, burn-down, reports of retirement.
    static let progressPaths = #"""
        "/api/v1/candidates": {
              "get": {
                "operationId": "candidates",
                "summary": "What the monolith is asked for that no extraction takes, ranked.",
                "parameters": [
                  {
                    "name": "since",
                    "in": "query",
                    "required": false,
                    "description": "How far to look back: 90m, 12h, 7d.",
                    "schema": {"type": "string", "default": "7d"}
                  },
                  {
                    "name": "path",
                    "in": "query",
                    "required": false,
                    "description": "Only what this pattern takes, as one candidate; may be there several times.",
                    "schema": {"type": "array", "items": {"type": "string"}},
                    "explode": true
                  },
                  {
                    "name": "limit",
                    "in": "query",
                    "required": false,
                    "description": "At most so many candidates.",
                    "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 10}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Candidates"}}}
                  },
                  "400": {"$ref": "#/components/responses/Problem"},
                  "503": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/api/v1/burn-down": {
              "get": {
                "operationId": "burnDown",
                "summary": "Who answers how much of the traffic, and what is left to extract.",
                "parameters": [
                  {
                    "name": "unused",
                    "in": "query",
                    "required": false,
                    "description": "After how long an endpoint of the monolith counts as unused.",
                    "schema": {"type": "string", "default": "30d"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/BurnDown"}}}
                  },
                  "400": {"$ref": "#/components/responses/Problem"},
                  "503": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/api/v1/extractions/{name}/retire-report": {
              "get": {
                "operationId": "retireReport",
                "summary": "What retiring the extraction left behind; before it is retired, what it would.",
                "parameters": [{"$ref": "#/components/parameters/name"}],
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/RetireAnswer"}}}
                  },
                  "404": {"$ref": "#/components/responses/Problem"},
                  "503": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
        """#

    static let progressSchemas = #"""
        "Candidates": {
          "type": "object",
          "required": ["since", "until", "requests", "notFound", "groups", "candidates", "questions"],
          "properties": {
            "since": {"type": "string", "format": "date-time"},
            "until": {"type": "string", "format": "date-time"},
            "countingSince": {"type": "string", "format": "date-time", "description": "Missing before anything was counted."},
            "requests": {"type": "integer"},
            "notFound": {"type": "integer", "description": "Of requests, those for paths that the monolith does not know."},
            "groups": {"type": "integer", "description": "How many there are; candidates may be fewer."},
            "candidates": {"type": "array", "items": {"$ref": "#/components/schemas/Candidate"}},
            "questions": {
              "type": "array",
              "description": "Reasons that no traffic shows, for people to answer.",
              "items": {
                "type": "object",
                "required": ["reason", "question"],
                "properties": {"reason": {"type": "string"}, "question": {"type": "string"}}
              }
            }
          }
        },
        "Candidate": {
          "type": "object",
          "required": ["path", "requests", "errors", "writes", "bytes", "share", "endpoints", "reasons", "against", "pull"],
          "properties": {
            "path": {"type": "string"},
            "requests": {"type": "integer"},
            "errors": {"type": "integer"},
            "writes": {"type": "integer"},
            "bytes": {"type": "integer", "description": "Of answers' bodies."},
            "share": {
              "type": "object",
              "required": ["requests", "time", "errors", "bytes"],
              "properties": {
                "requests": {"type": "number"}, "time": {"type": "number"}, "errors": {"type": "number"},
                "bytes": {"type": "number"}
              }
            },
            "p50": {"type": "number", "description": "Milliseconds."},
            "p99": {"type": "number", "description": "Milliseconds."},
            "growth": {"type": "number", "description": "0.5: half as much again in the second half of the time."},
            "endpoints": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["endpoint", "requests", "errors", "last"],
                "properties": {
                  "endpoint": {"type": "string"}, "requests": {"type": "integer"}, "errors": {"type": "integer"},
                  "p99": {"type": "number"}, "last": {"type": "string", "format": "date-time"}
                }
              }
            },
            "reasons": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["reason", "said"],
                "properties": {"reason": {"type": "string"}, "said": {"type": "string"}}
              }
            },
            "against": {"type": "array", "items": {"type": "string"}},
            "pull": {"type": "number", "description": "What they are ranked by."}
          }
        },
        "BurnDown": {
          "type": "object",
          "required": ["course", "owners", "unusedFor"],
          "properties": {
            "countingSince": {"type": "string", "format": "date-time"},
            "left": {"type": "number", "description": "The part of the last day's requests that the monolith answered, 0 to 1."},
            "course": {
              "type": "array",
              "description": "By weeks, the oldest first.",
              "items": {
                "type": "object",
                "required": ["ended", "requests", "monolith"],
                "properties": {
                  "ended": {"type": "string", "format": "date-time"}, "requests": {"type": "integer"},
                  "monolith": {"type": "integer"}
                }
              }
            },
            "owners": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["day", "week"],
                "properties": {
                  "extraction": {"type": "string", "description": "Missing for what no extraction takes."},
                  "stage": {"$ref": "#/components/schemas/Stage"},
                  "day": {"$ref": "#/components/schemas/OwnedTraffic"},
                  "week": {"$ref": "#/components/schemas/OwnedTraffic"}
                }
              }
            },
            "unusedFor": {"type": "number", "description": "Seconds."},
            "unused": {
              "type": "array",
              "description": "Missing where less was counted than unusedFor.",
              "items": {
                "type": "object",
                "required": ["endpoint", "last", "requests"],
                "properties": {
                  "endpoint": {"type": "string"}, "extraction": {"type": "string"},
                  "last": {"type": "string", "format": "date-time"}, "requests": {"type": "integer"}
                }
              }
            }
          }
        },
        "OwnedTraffic": {
          "type": "object",
          "required": ["requests", "service"],
          "properties": {
            "requests": {"type": "integer"},
            "service": {"type": "integer", "description": "Of requests, those that the service was asked."},
            "share": {"type": "number", "description": "Of everything that clients asked for."}
          }
        },
        "RetireAnswer": {
          "type": "object",
          "required": ["preview", "stage", "report"],
          "properties": {
            "preview": {"type": "boolean"},
            "stage": {"$ref": "#/components/schemas/Stage"},
            "gate": {"$ref": "#/components/schemas/Gate"},
            "report": {
              "type": "object",
              "required": ["extraction", "at", "routes", "unreachable", "stillReachable"],
              "properties": {
                "extraction": {"type": "string"},
                "at": {"type": "string", "format": "date-time"},
                "countingSince": {"type": "string", "format": "date-time"},
                "routes": {
                  "type": "array",
                  "items": {
                    "type": "object",
                    "required": ["path", "methods", "hosts"],
                    "properties": {
                      "path": {"type": "string"}, "methods": {"type": "array", "items": {"type": "string"}},
                      "hosts": {"type": "array", "items": {"type": "string"}}
                    }
                  }
                },
                "unreachable": {
                  "type": "array",
                  "items": {
                    "type": "object",
                    "required": ["endpoint", "requestsBefore"],
                    "properties": {
                      "endpoint": {"type": "string"},
                      "lastAnswered": {"type": "string", "format": "date-time", "description": "Missing: never since counting began."},
                      "requestsBefore": {"type": "integer"}, "route": {"type": "string"}
                    }
                  }
                },
                "stillReachable": {
                  "type": "array",
                  "items": {
                    "type": "object",
                    "required": ["what", "why", "requests"],
                    "properties": {"what": {"type": "string"}, "why": {"type": "string"}, "requests": {"type": "integer"}}
                  }
                }
              }
            }
          }
        },
        """#
}
