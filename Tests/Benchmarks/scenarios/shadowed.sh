# Every request goes to a second origin as well. nginx and Envoy mirror blindly; ours compares every pair of answers, one
# in a hundred of which differs, and stores what came of it in its Postgres. Counted is all that the proxy's process does
# until the last pair has been stored; Postgres apart.
start_origin
start_nginx shadow 0 $shadow "server { listen 127.0.0.1:$shadow backlog=4096; location / { return 200 '$body'; }
    location = /api/v1/orders/1100 { return 200 '${body/149.98/149.99}'; } }"
start_nginx_mirror 2s
if [ -n "${ENVOY:-}" ]; then start_envoy mirror; fi
extraction ours orders $shadow "/api/v1/orders/{id}"
start_ours ours $ours $admin store
enter_shadow ours $admin orders
seq -f '/api/v1/orders/%g' 1001 1100 > "$dir/orders"

# Sets passed, compared, mismatch and shed to the totals so far, once everything that passed has been counted.
stored() {
    local status verdicts
    for _ in $(seq 100); do
        status=$(strangler $admin status orders --json)
        passed=$(sed -E 's/.*"monolith":([0-9]+).*/\1/' <<< "$status")
        verdicts=${status#*\"shadow\":}
        verdicts=${verdicts%%\"transient\"*}
        compared=$(sed -E 's/.*"compared":([0-9]+).*/\1/' <<< "$verdicts")
        mismatch=$(sed -E 's/.*"mismatch":([0-9]+).*/\1/' <<< "$verdicts")
        shed=$(sed -nE 's/.*"shed":([0-9]+).*/\1/p' <<< "$verdicts")
        shed=${shed:-0}
        # match and mismatch are parts of compared
        counted=$(sed -E 's/"(match|mismatch)":[0-9]+//g' <<< "$verdicts" | grep -Eo '[0-9]+' | awk '{ n += $1 } END { print n }')
        [ "$counted" = "$passed" ] && return
        sleep 0.1
    done
    give_up "of $passed requests only $counted were counted: $status"
}
stored
for _ in $(seq "$rounds"); do
    for proxy in $proxies; do
        [ $proxy != haproxy ] || continue # cannot
        if [ $proxy = ours ]; then
            passed_before=$passed compared_before=$compared mismatch_before=$mismatch shed_before=$shed
            before=$(cpu $(postgres_of ours))
            settle=stored cpu_per shadowed ours "${pid[ours]}" $ours / 64 paths "$dir/orders"
            figure shadowed-postgres ours "$(calculate "($(cpu $(postgres_of ours)) - $before) / 1e3 / $requests")"
            figure shadowed-compared ours "$(calculate "100 * ($compared - $compared_before) / ($passed - $passed_before)")"
            figure shadowed-shed ours "$(calculate "100 * ($shed - $shed_before) / ($passed - $passed_before)")"
            figure shadowed-mismatch ours "$(calculate "100 * ($mismatch - $mismatch_before) / ($passed - $passed_before)")"
        else
            cpu_per shadowed $proxy "${pid[$proxy]}" "${!proxy}" / 64 paths "$dir/orders"
        fi
    done
done
[ "$(calculate "$(median shadowed-mismatch ours) > 0")" = 1.0000 ] || give_up "no difference was found, and 1 % differ"
row "all shadowed; ours: $(short "$(median shadowed-compared ours)") % compared and stored, $(short "$(median shadowed-shed ours)") % shed" \
    "µs CPU / request" shadowed
row "its Postgres" "µs CPU / request" shadowed-postgres
