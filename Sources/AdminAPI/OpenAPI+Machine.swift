extension OpenAPI {
    /// Ramps, holds, waivers, replicas.
    static let machinePaths = #"""
        "/api/v1/extractions/{name}/ramp": {
          "post": {
            "operationId": "ramp",
            "summary": "Have the weight rise by itself, as the route file says.",
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
        "/api/v1/extractions/{name}/pause": {
          "post": {
            "operationId": "pause",
            "summary": "Hold the weight where it is; the guard goes on judging.",
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
        "/api/v1/extractions/{name}/resume": {
          "post": {
            "operationId": "resume",
            "summary": "End a pause, or the hold that a breach left behind.",
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
        "/api/v1/extractions/{name}/waive": {
          "post": {
            "operationId": "waive",
            "summary": "Let an endpoint or a gap pass the gate without evidence.",
            "parameters": [{"$ref": "#/components/parameters/name"}, {"$ref": "#/components/parameters/actor"}],
            "requestBody": {
              "required": true,
              "content": {"application/json": {"schema": {"$ref": "#/components/schemas/WaiverCommand"}}}
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
        "/api/v1/extractions/{name}/unwaive": {
          "post": {
            "operationId": "unwaive",
            "summary": "Take a waiver back.",
            "parameters": [{"$ref": "#/components/parameters/name"}, {"$ref": "#/components/parameters/actor"}],
            "requestBody": {
              "required": true,
              "content": {"application/json": {"schema": {"$ref": "#/components/schemas/WaiverCommand"}}}
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
        "/api/v1/replicas": {
          "get": {
            "operationId": "replicas",
            "summary": "Every proxy that runs, or that fell silent.",
            "responses": {
              "200": {
                "description": "OK",
                "content": {
                  "application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Replica"}}}
                }
              },
              "503": {"$ref": "#/components/responses/Problem"}
            }
          }
        },
        """#

    static let machineSchemas = #"""
        "Weights": {
          "type": "object",
          "required": ["reads", "writes"],
          "properties": {"reads": {"$ref": "#/components/schemas/Weight"}, "writes": {"$ref": "#/components/schemas/Weight"}}
        },
        "Requirement": {
          "type": "object",
          "description": "One line of a gate's checklist.",
          "required": ["name", "met", "said"],
          "properties": {
            "name": {"type": "string", "description": "What is asked about: mismatch, health, window."},
            "met": {"type": "boolean"},
            "said": {"type": "string", "description": "A sentence with numbers."}
          }
        },
        "Hold": {
          "type": "object",
          "description": "Why the weight does not rise.",
          "required": ["cause", "by", "reason", "at"],
          "properties": {
            "cause": {"type": "string", "enum": ["paused", "breach"]},
            "by": {"type": "string"},
            "reason": {"type": "string"},
            "at": {"type": "string", "format": "date-time"}
          }
        },
        "Ramp": {
          "type": "object",
          "required": ["running", "steps", "bake", "bakingSince", "waiting"],
          "properties": {
            "running": {"type": "boolean", "description": "False: weights are set by hand."},
            "steps": {"type": "array", "items": {"$ref": "#/components/schemas/Weight"}},
            "next": {"$ref": "#/components/schemas/Weight"},
            "bake": {"type": "integer", "description": "Seconds that a weight has to hold."},
            "bakingSince": {"type": "string", "format": "date-time"},
            "waiting": {"type": "array", "description": "Why the weight does not rise now.", "items": {"type": "string"}}
          }
        },
        "GuardSide": {
          "type": "object",
          "required": ["requests", "errors"],
          "properties": {
            "requests": {"type": "integer"},
            "errors": {"type": "integer"},
            "p99": {"type": "number", "description": "Milliseconds, known to within a fifth."}
          }
        },
        "GuardFindings": {
          "type": "object",
          "required": ["judgedAt", "breaches", "cautions", "service", "monolith"],
          "properties": {
            "judgedAt": {"type": "string", "format": "date-time"},
            "breaches": {"type": "array", "description": "Reasons to roll back.", "items": {"type": "string"}},
            "cautions": {"type": "array", "description": "Reasons not to rise.", "items": {"type": "string"}},
            "service": {"$ref": "#/components/schemas/GuardSide"},
            "monolith": {"$ref": "#/components/schemas/GuardSide"}
          }
        },
        "Guard": {
          "type": "object",
          "required": ["interval"],
          "properties": {
            "findings": {"$ref": "#/components/schemas/GuardFindings"},
            "holder": {"type": "string", "description": "The replica that judges."},
            "interval": {"type": "number", "description": "Seconds between two looks."}
          }
        },
        "Waiver": {
          "type": "object",
          "required": ["actor", "reason", "at"],
          "properties": {
            "subject": {"type": "string", "description": "An endpoint, or gap 12."},
            "actor": {"type": "string"},
            "reason": {"type": "string"},
            "at": {"type": "string", "format": "date-time"}
          }
        },
        "Gap": {
          "type": "object",
          "description": "A time of which evidence is missing.",
          "required": ["id", "began", "ended", "replica", "reason"],
          "properties": {
            "id": {"type": "integer"},
            "began": {"type": "string", "format": "date-time"},
            "ended": {"type": "string", "format": "date-time"},
            "replica": {"type": "string"},
            "reason": {"type": "string"},
            "extraction": {
              "type": "string",
              "description": "Its writes went to one side alone; missing: all evidence of that time is."
            },
            "waiver": {"$ref": "#/components/schemas/Waiver"}
          }
        },
        "Served": {
          "type": "object",
          "required": ["version", "behind", "backlog", "openBreakers"],
          "properties": {
            "version": {"type": "integer", "description": "Of the extraction's state."},
            "behind": {"type": "boolean", "description": "The state has a newer version."},
            "backlog": {"type": "integer"},
            "openBreakers": {"type": "integer"}
          }
        },
        "Replica": {
          "type": "object",
          "description": "One running proxy.",
          "required": [
            "id", "host", "process", "version", "startedAt", "beatAt", "age", "silent", "gone", "guarding", "current", "extractions"
          ],
          "properties": {
            "id": {"type": "string"},
            "host": {"type": "string"},
            "process": {"type": "integer"},
            "version": {"type": "string", "description": "Of the program."},
            "startedAt": {"type": "string", "format": "date-time"},
            "beatAt": {"type": "string", "format": "date-time"},
            "age": {"type": "number", "description": "Seconds since the last heartbeat."},
            "silent": {"type": "boolean", "description": "It should have been heard of since."},
            "gone": {"type": "boolean", "description": "Nobody waits for it any more; a gap in the evidence is on record."},
            "guarding": {"type": "boolean", "description": "The guard judges here."},
            "current": {"type": "boolean", "description": "The one that answers this request."},
            "extractions": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Served"}}
          }
        },
        "WaiverCommand": {
          "type": "object",
          "required": ["subject"],
          "properties": {
            "subject": {"type": "string", "description": "An endpoint of the evidence, or gap 12."},
            "reason": {"type": "string", "maxLength": 2000, "description": "waive needs one."}
          },
          "additionalProperties": false
        },
        """#
}
