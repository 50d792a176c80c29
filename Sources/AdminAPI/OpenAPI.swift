/// The OpenAPI document of the admin address, kept by hand: it is the contract, and the code follows it. Tests hold
/// both together: every endpoint is in it, and what the API answers has the fields that the schemas name.
package enum OpenAPI {
    package static let document = paths + "\n" + components + "\n"

    private static let paths = #"""
        {
          "openapi": "3.0.3",
          "info": {
            "title": "Strangler admin API",
            "version": "1",
            "description": "Loopback only, without a token. Every request must name a loopback host or the configured address (otherwise 421); changes take application/json (otherwise 415) and no foreign Origin (otherwise 403)."
          },
          "servers": [{"url": "/"}],
          "paths": {
            "/": {
              "get": {
                "operationId": "console",
                "summary": "The console: every extraction and every group of mismatches.",
                "responses": {"200": {"description": "OK", "content": {"text/html": {"schema": {"type": "string"}}}}}
              }
            },
            "/groups/{signature}": {
              "get": {
                "operationId": "groupPage",
                "summary": "The console's page of one group.",
                "parameters": [{"$ref": "#/components/parameters/signature"}],
                "responses": {"200": {"description": "OK", "content": {"text/html": {"schema": {"type": "string"}}}}}
              }
            },
            "/api/v1/extractions": {
              "get": {
                "operationId": "extractions",
                "summary": "All extractions.",
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {
                      "application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Extraction"}}}
                    }
                  },
                  "503": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/api/v1/extractions/{name}": {
              "get": {
                "operationId": "extraction",
                "summary": "One extraction.",
                "parameters": [{"$ref": "#/components/parameters/name"}],
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Extraction"}}}
                  },
                  "404": {"$ref": "#/components/responses/Problem"},
                  "503": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/api/v1/extractions/{name}/advance": {
              "post": {
                "operationId": "advance",
                "summary": "To the next stage, or to the one named, through its gate.",
                "parameters": [{"$ref": "#/components/parameters/name"}, {"$ref": "#/components/parameters/actor"}],
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/AdvanceCommand"}}}
                },
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Extraction"}}}
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
            "/api/v1/extractions/{name}/cutover": {
              "post": {
                "operationId": "cutover",
                "summary": "Set the share of keys that the service answers.",
                "parameters": [{"$ref": "#/components/parameters/name"}, {"$ref": "#/components/parameters/actor"}],
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CutoverCommand"}}}
                },
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Extraction"}}}
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
            "/api/v1/extractions/{name}/rollback": {
              "post": {
                "operationId": "rollback",
                "summary": "The traffic back to the monolith at once, or one stage back where none was moved; never gated.",
                "parameters": [{"$ref": "#/components/parameters/name"}, {"$ref": "#/components/parameters/actor"}],
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/RollbackCommand"}}}
                },
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Extraction"}}}
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
            "/api/v1/extractions/{name}/retire": {
              "post": {
                "operationId": "retire",
                "summary": "Let the monolith go, once the fallback window is over.",
                "parameters": [{"$ref": "#/components/parameters/name"}, {"$ref": "#/components/parameters/actor"}],
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/StageCommand"}}}
                },
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Extraction"}}}
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
            \#(machinePaths)
            "/api/v1/extractions/{name}/history": {
              "get": {
                "operationId": "history",
                "summary": "Every change of the extraction, the newest first.",
                "parameters": [
                  {"$ref": "#/components/parameters/name"},
                  {
                    "name": "limit",
                    "in": "query",
                    "required": false,
                    "description": "At most so many entries.",
                    "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {
                      "application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/HistoryEntry"}}}
                    }
                  },
                  "400": {"$ref": "#/components/responses/Problem"},
                  "404": {"$ref": "#/components/responses/Problem"},
                  "503": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/api/v1/groups": {
              "get": {
                "operationId": "groups",
                "summary": "Groups of mismatches, the most frequent first.",
                "parameters": [
                  {
                    "name": "extraction",
                    "in": "query",
                    "required": false,
                    "description": "Only those of this extraction.",
                    "schema": {"type": "string"}
                  },
                  {
                    "name": "state",
                    "in": "query",
                    "required": false,
                    "description": "Only those in this state.",
                    "schema": {"type": "string", "enum": ["new", "acknowledged", "accepted", "fixed", "regressed"]}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {
                      "application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Group"}}}
                    }
                  },
                  "400": {"$ref": "#/components/responses/Problem"},
                  "404": {"$ref": "#/components/responses/Problem"},
                  "503": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/api/v1/groups/{signature}": {
              "get": {
                "operationId": "group",
                "summary": "One group with recorded examples.",
                "parameters": [{"$ref": "#/components/parameters/signature"}],
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/GroupDetail"}}}
                  },
                  "400": {"$ref": "#/components/responses/Problem"},
                  "404": {"$ref": "#/components/responses/Problem"},
                  "503": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/api/v1/groups/{signature}/state": {
              "post": {
                "operationId": "groupState",
                "summary": "Record a reviewer's decision.",
                "parameters": [{"$ref": "#/components/parameters/signature"}, {"$ref": "#/components/parameters/actor"}],
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/GroupStateCommand"}}}
                },
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Group"}}}
                  },
                  "400": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"},
                  "404": {"$ref": "#/components/responses/Problem"},
                  "413": {"$ref": "#/components/responses/Problem"},
                  "415": {"$ref": "#/components/responses/Problem"},
                  "503": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/api/v1/groups/{signature}/replay": {
              "post": {
                "operationId": "replay",
                "summary": "Ask both sides one recorded request again, if it changes nothing.",
                "parameters": [{"$ref": "#/components/parameters/signature"}],
                "requestBody": {
                  "required": true,
                  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ReplayCommand"}}}
                },
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Replay"}}}
                  },
                  "400": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"},
                  "404": {"$ref": "#/components/responses/Problem"},
                  "413": {"$ref": "#/components/responses/Problem"},
                  "415": {"$ref": "#/components/responses/Problem"},
                  "503": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/api/v1/rules": {
              "get": {
                "operationId": "rules",
                "summary": "Every rule that can hide a difference, and what it hid.",
                "parameters": [
                  {
                    "name": "extraction",
                    "in": "query",
                    "required": false,
                    "description": "Only those of this extraction.",
                    "schema": {"type": "string"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {
                      "application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Rule"}}}
                    }
                  },
                  "404": {"$ref": "#/components/responses/Problem"},
                  "503": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/api/v1/noise": {
              "get": {
                "operationId": "noise",
                "summary": "Where the primary was seen to disagree with itself, and what that hid.",
                "parameters": [
                  {
                    "name": "extraction",
                    "in": "query",
                    "required": false,
                    "description": "Only those of this extraction.",
                    "schema": {"type": "string"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {
                      "application/json": {"schema": {"$ref": "#/components/schemas/NoiseSummary"}}
                    }
                  },
                  "404": {"$ref": "#/components/responses/Problem"},
                  "503": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            \#(progressPaths)
            \#(reconcilePaths)
            \#(writesPaths)
            "/api/v1/explain": {
              "get": {
                "operationId": "explain",
                "summary": "What the proxy would do with a request.",
                "parameters": [
                  {
                    "name": "method",
                    "in": "query",
                    "required": false,
                    "description": "GET if left out.",
                    "schema": {"type": "string"}
                  },
                  {
                    "name": "url",
                    "in": "query",
                    "required": true,
                    "description": "A path with an optional query, or an absolute URL.",
                    "schema": {"type": "string"}
                  },
                  {
                    "name": "cookie",
                    "in": "query",
                    "required": false,
                    "description": "The value of a Cookie header.",
                    "schema": {"type": "string"}
                  },
                  {
                    "name": "client",
                    "in": "query",
                    "required": false,
                    "description": "The client's IP address.",
                    "schema": {"type": "string"}
                  }
                ],
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Explanation"}}}
                  },
                  "400": {"$ref": "#/components/responses/Problem"},
                  "503": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/api/v1/configuration": {
              "get": {
                "operationId": "configuration",
                "summary": "What the proxy runs on, and whether that is what its files say.",
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Configuration"}}}
                  }
                }
              }
            },
            "/api/v1/configuration/reload": {
              "post": {
                "operationId": "reload",
                "summary": "Load the files anew: all of them, or none if anything in them is wrong.",
                "parameters": [{"$ref": "#/components/parameters/actor"}],
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Configuration"}}}
                  },
                  "403": {"$ref": "#/components/responses/Problem"},
                  "409": {"$ref": "#/components/responses/Problem"},
                  "415": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/api/v1/openapi.json": {
              "get": {
                "operationId": "openAPI",
                "summary": "This document.",
                "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": {"type": "object"}}}}}
              }
            },
            "/metrics": {
              "get": {
                "operationId": "metrics",
                "summary": "Metrics in the Prometheus text format.",
                "responses": {"200": {"description": "OK", "content": {"text/plain": {"schema": {"type": "string"}}}}}
              }
            },
            "/healthz": {
              "get": {
                "operationId": "health",
                "summary": "The process answers.",
                "responses": {"200": {"description": "OK", "content": {"text/plain": {"schema": {"type": "string"}}}}}
              }
            },
            "/readyz": {
              "get": {
                "operationId": "readiness",
                "summary": "Whether the proxy can do its work.",
                "responses": {
                  "200": {
                    "description": "OK",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Readiness"}}}
                  },
                  "503": {
                    "description": "not ready",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Readiness"}}}
                  }
                }
              }
            }
          },
        """#
}
