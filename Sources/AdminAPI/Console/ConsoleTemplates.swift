/// The pages as mustache templates. Every value goes through `{{ }}`, which escapes; `{{{ }}}` and `{{& }}` are not
/// used.
enum ConsoleTemplates {
    private static let head = """
        {{% CONTENT_TYPE:\(HTMLText.name)}}<!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <style>
        \(ConsoleStyle.sheet)
        </style>

        """

    static let overview =
        head + """
            <meta http-equiv="refresh" content="5">
            <title>Strangler</title>
            </head>
            <body>
            <header><h1>Strangler</h1><p>{{updated}}</p></header>
            <main>
            {{#notices}}
            <p class="notice">{{.}}</p>
            {{/notices}}
            {{^hasExtractions}}
            <p class="empty">No extraction is defined. Write a route file and restart the proxy.</p>
            {{/hasExtractions}}
            {{#extractions}}
            <section class="card">
            <h2>{{name}}</h2>
            <p class="quiet">{{subtitle}}</p>
            {{#hasProblem}}
            <p>{{problem}}</p>
            {{/hasProblem}}
            <ol class="track">
            {{#track}}
            <li class="{{place}}"><span>{{label}}</span></li>
            {{/track}}
            </ol>
            {{#bars}}
            <p class="weight"><strong>{{barWeight}}</strong> {{barLabel}}</p>
            <div class="bar"><i style="width:{{barWeight}}"></i></div>
            {{/bars}}
            <p class="quiet">{{traffic}}</p>
            {{#alarms}}
            <p class="notice">{{.}}</p>
            {{/alarms}}
            {{#hasMoving}}
            <dl class="facts">
            {{#moving}}
            <dt>{{factLabel}}</dt>
            {{#factLines}}
            <dd class="{{look}}">{{factText}}</dd>
            {{/factLines}}
            {{/moving}}
            </dl>
            {{/hasMoving}}
            <h3>{{gateTitle}}</h3>
            <ul class="gate">
            {{#requirements}}
            <li class="{{mark}}">{{said}}</li>
            {{/requirements}}
            {{#isPlainlyOpen}}
            <li class="yes">nothing is missing</li>
            {{/isPlainlyOpen}}
            </ul>
            {{#hasMoreMet}}
            <details><summary>{{moreMetTitle}}</summary>
            <ul class="gate">
            {{#moreMet}}
            <li class="yes">{{.}}</li>
            {{/moreMet}}
            </ul>
            </details>
            {{/hasMoreMet}}
            {{#hasReplicas}}
            <details{{#hasBadReplicas}} open{{/hasBadReplicas}}><summary>{{replicasTitle}}</summary>
            <table>
            <thead><tr><th>replica</th><th>version</th><th>heartbeat</th><th>serves</th></tr></thead>
            <tbody>
            {{#replicas}}
            <tr><td data-label="replica">{{replicaID}}</td><td data-label="version">{{replicaProgram}}</td><td data-label="heartbeat">{{#isSilent}}<mark>{{replicaBeat}}</mark>{{/isSilent}}{{^isSilent}}{{replicaBeat}}{{/isSilent}}</td><td data-label="serves">{{#isBehind}}<mark>{{replicaServes}}</mark>{{/isBehind}}{{^isBehind}}{{replicaServes}}{{/isBehind}}{{replicaRole}}</td></tr>
            {{/replicas}}
            </tbody>
            </table>
            </details>
            {{/hasReplicas}}
            <h3>Shadow</h3>
            <dl class="tiles">
            {{#tiles}}
            <div{{#isBad}} class="bad"{{/isBad}}><dt>{{label}}</dt><dd>{{number}}</dd></div>
            {{/tiles}}
            </dl>
            <p class="quiet">{{coverage}}</p>
            {{#hasEndpoints}}
            <table>
            <thead><tr><th>endpoint</th><th>compared</th><th>mismatch</th><th>coverage</th><th>p50 / p99 in ms</th></tr></thead>
            <tbody>
            {{#endpoints}}
            <tr><td data-label="endpoint"><code>{{endpointName}}</code></td><td data-label="compared">{{endpointCompared}}</td><td data-label="mismatch">{{endpointMismatch}}</td><td data-label="coverage">{{endpointCoverage}}<br><span class="quiet">{{endpointParts}}</span></td><td data-label="p50 / p99 in ms">{{endpointMonolith}}<br>{{endpointService}}</td></tr>
            {{/endpoints}}
            </tbody>
            </table>
            {{/hasEndpoints}}
            {{#hasNoise}}
            <details><summary>{{noiseTitle}}</summary>
            <table>
            <thead><tr><th>endpoint</th><th>field</th><th>between two answers of the primary</th><th>between both sides</th></tr></thead>
            <tbody>
            {{#noise}}
            <tr><td data-label="endpoint"><code>{{noiseEndpoint}}</code></td><td data-label="field"><code>{{noisePath}}</code> {{noiseKind}}</td><td data-label="two answers">{{noiseTwins}}</td><td data-label="both sides">{{noisePairs}}{{#noiseExceeds}} <mark>more</mark>{{/noiseExceeds}}</td></tr>
            {{/noise}}
            </tbody>
            </table>
            </details>
            {{/hasNoise}}
            {{#hasRules}}
            <details{{#hasIdleRules}} open{{/hasIdleRules}}><summary>{{rulesTitle}}</summary>
            <table>
            <thead><tr><th>rule</th><th>because</th><th>pairs hidden</th><th>last hit</th><th>state</th></tr></thead>
            <tbody>
            {{#rules}}
            <tr><td data-label="rule"><code>{{ruleName}}</code></td><td data-label="because">{{ruleBecause}}</td><td data-label="pairs hidden">{{ruleHidden}}</td><td data-label="last hit">{{ruleLast}}</td><td data-label="state">{{#ruleIsIdle}}<mark>{{ruleState}}</mark>{{/ruleIsIdle}}{{^ruleIsIdle}}{{ruleState}}{{/ruleIsIdle}}</td></tr>
            {{/rules}}
            </tbody>
            </table>
            </details>
            {{/hasRules}}
            {{#hasLosses}}
            <p class="quiet">Evidence without a place: {{losses}}</p>
            {{/hasLosses}}
            {{#hasUndecided}}
            <details open><summary>{{undecidedTitle}}</summary>
            <table>
            <thead><tr><th>write</th><th>state</th><th>endpoint</th><th>received</th><th>attempts</th><th>reason</th></tr></thead>
            <tbody>
            {{#undecided}}
            <tr><td data-label="write"><code>{{writeID}}</code></td><td data-label="state"><mark>{{writeState}}</mark></td><td data-label="endpoint"><code>{{writeEndpoint}}</code></td><td data-label="received">{{writeAge}}</td><td data-label="attempts">{{writeAttempts}}</td><td data-label="reason">{{writeReason}}</td></tr>
            {{/undecided}}
            </tbody>
            </table>
            </details>
            {{/hasUndecided}}
            <h3>Fallback window: {{window}}</h3>
            <div class="bar"><i style="width:{{windowShare}}%"></i></div>
            <p class="quiet">{{fellBack}}</p>
            {{#fallbackNotes}}
            <p>{{.}}</p>
            {{/fallbackNotes}}
            </section>
            {{/extractions}}
            <section class="card">
            <h2>Mismatch groups</h2>
            {{^hasGroups}}
            <p class="empty">None.</p>
            {{/hasGroups}}
            {{#hasGroups}}
            <p class="quiet">{{groupTotal}}</p>
            <table>
            <thead><tr><th>group</th><th>endpoint</th><th>differences</th><th>count</th><th>share</th><th>state</th><th>first seen</th><th>last seen</th></tr></thead>
            <tbody>
            {{#groups}}
            <tr><td data-label="group"><a href="{{link}}"><code>{{shortSignature}}</code></a><br>{{extractionName}}</td><td data-label="endpoint"><code>{{endpoint}}</code></td><td data-label="differences">{{#differences}}<span class="difference"><code>{{path}}</code> {{kind}}{{#isNoisy}} ~ noise{{/isNoisy}}</span> {{/differences}}{{more}}</td><td data-label="count">{{count}}</td><td data-label="share">{{share}}</td><td data-label="state"><span class="state {{stateClass}}">{{state}}</span></td><td data-label="first seen">{{firstSeen}}</td><td data-label="last seen">{{lastSeen}}</td></tr>
            {{/groups}}
            </tbody>
            </table>
            {{/hasGroups}}
            </section>
            </main>
            <footer><a href="/api/v1/openapi.json">API</a> · <a href="/metrics">metrics</a> · <a href="/readyz">readiness</a></footer>
            </body>
            </html>

            """

    static let group =
        head + """
            <title>{{shortSignature}} · Strangler</title>
            </head>
            <body>
            <header><h1><a href="/">Strangler</a></h1><p>{{extraction}}</p></header>
            <main>
            <section class="card">
            <h2><code>{{endpoint}}</code></h2>
            <p><span class="state {{stateClass}}">{{state}}</span> {{stateNote}}</p>
            <p>{{#differences}}<span class="difference"><code>{{path}}</code> {{kind}}{{#isNoisy}} ~ noise{{/isNoisy}}</span> {{/differences}}</p>
            {{#history}}
            <p class="quiet">{{.}}</p>
            {{/history}}
            <p class="quiet">seen {{count}}{{share}}, first {{firstSeen}}, last {{lastSeen}}, signature <code>{{signature}}</code></p>
            <p class="quiet">To decide: <code>strangler acknowledge|accept|fixed {{shortSignature}} --reason "…"</code></p>
            <p class="quiet">To accept by a rule: <code>strangler rule suggest {{shortSignature}}</code>; to prove a fix: <code>strangler replay {{shortSignature}}</code></p>
            </section>
            {{^hasExamples}}
            <p class="empty">No pair of answers was recorded.</p>
            {{/hasExamples}}
            {{#examples}}
            <section class="card">
            <h3><code>{{requestLine}}</code></h3>
            <p class="quiet">{{at}}</p>
            <table>
            <thead><tr><th>path</th><th>kind</th><th>primary</th><th>shadow</th></tr></thead>
            <tbody>
            {{#found}}
            <tr><td data-label="path"><code>{{path}}</code></td><td data-label="kind">{{kind}}</td><td data-label="primary"><code>{{primaryValue}}</code></td><td data-label="shadow"><code>{{shadowValue}}</code></td></tr>
            {{/found}}
            </tbody>
            </table>
            <div class="pair">
            {{#answers}}
            <article>
            <h4>{{side}} {{#statusDiffers}}<mark>{{status}}</mark>{{/statusDiffers}}{{^statusDiffers}}{{status}}{{/statusDiffers}}</h4>
            {{#hasLines}}<pre>{{#lines}}{{#lineDiffers}}<mark>{{text}}</mark>{{/lineDiffers}}{{^lineDiffers}}{{text}}{{/lineDiffers}}{{/lines}}</pre>{{/hasLines}}
            {{^hasLines}}<p class="quiet">{{noBody}}</p>{{/hasLines}}
            <details><summary>headers</summary><pre>{{#fields}}{{#fieldDiffers}}<mark>{{name}}: {{value}}</mark>{{/fieldDiffers}}{{^fieldDiffers}}{{name}}: {{value}}{{/fieldDiffers}}<br>{{/fields}}</pre></details>
            </article>
            {{/answers}}
            </div>
            <details><summary>request</summary><pre>{{#requestFields}}{{name}}: {{value}}<br>{{/requestFields}}{{#hasRequestBody}}<br>{{#requestBody}}{{text}}{{/requestBody}}{{/hasRequestBody}}</pre></details>
            </section>
            {{/examples}}
            </main>
            </body>
            </html>

            """

    static let error =
        head + """
            <title>{{title}} · Strangler</title>
            </head>
            <body>
            <header><h1><a href="/">Strangler</a></h1></header>
            <main><section class="card"><h2>{{title}}</h2><p>{{message}}</p></section></main>
            </body>
            </html>

            """
}
