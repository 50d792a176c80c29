# What is measured, and the table of it. Sourced by `run`.
#
# A figure is a line "SCENARIO PROXY VALUE" in $dir/figures; the table shows medians of them and their ratios.

headers=(-H 'Accept: application/json' -H 'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36'
    -H 'Accept-Encoding: gzip, deflate, br' -H 'Cookie: session=abc123def456; theme=dark')

figure() { # SCENARIO PROXY VALUE
    echo "$1 $2 $3" >> "$dir/figures"
    printf '%s  %-10s %s\n' "$1" "$2" "$3" >&2
}

# Sets requests, bytes, microseconds. Fails when any request did.
load() { # PORT PATH CONNECTIONS [SCRIPT-WORD...]
    local port=$1 path=$2 connections=$3 errors=1
    shift 3
    local line
    line=$(timeout $((seconds + 30)) taskset -c 0 wrk -t1 -c"$connections" -d"${seconds}s" --timeout 10s \
        "${headers[@]}" -s "$here/load.lua" "http://127.0.0.1:$port$path" -- "$@" | grep '^load ' || true)
    read -r _ requests bytes microseconds errors <<< "$line"
    [ "${errors:-1}" = 0 ] || give_up "load on port $port failed: ${line:-wrk ended early}"
}

cpu() { "$dir/pace" cpu "$@"; } # PID...: nanoseconds

# Between `begin` and `end`: the CPU time of a proxy, in nanoseconds in `spent`; and what share of its core had gone to
# anything else, for a machine that is busy with other work spoils latencies first and then all the rest.
begin() { # PID
    metered=$1 clock=${EPOCHREALTIME/./} busy=$(core_1) spent=$(cpu "$1")
}
end() {
    spent=$(($(cpu "$metered") - spent)) busy=$(($(core_1) - busy)) clock=$((${EPOCHREALTIME/./} - clock))
    [ "$metered" = "${pid[origin]}" ] ||
        echo "other core $(calculate "100 * ($busy / $(getconf CLK_TCK) - $spent / 1e9) / ($clock / 1e6)")" >> "$dir/figures"
}
core_1() { awk '$1 == "cpu1" { print $2 + $3 + $4 + $7 + $8 + $9 }' /proc/stat; } # ticks that were not idle

# CPU time of the proxy for each request, in microseconds; or, with `per=bytes`, for each MiB of answers. With `settle=`
# a function, what the proxy does until that returns counts too.
cpu_per() { # SCENARIO PROXY PID PORT PATH CONNECTIONS [SCRIPT-WORD...]
    local scenario=$1 proxy=$2
    begin "$3"
    shift 3
    load "$@"
    ${settle:-:}
    end
    if [ "${per:-requests}" = bytes ]; then
        figure "$scenario" "$proxy" "$(calculate "$spent / 1e3 / ($bytes / 1048576)")"
    else
        figure "$scenario" "$proxy" "$(calculate "$spent / 1e3 / $requests")"
    fi
}

# The same for every proxy in turn.
cpu_of_all() { # SCENARIO PATH CONNECTIONS [SCRIPT-WORD...]
    local scenario=$1 proxy
    shift
    for proxy in $proxies; do cpu_per "$scenario" "$proxy" "${pid[$proxy]}" "${!proxy}" "$@"; done
}

# At a constant rate: latencies SCENARIO-p50, -p99, -p999 in microseconds, and CPU per answered request, SCENARIO-cpu. What
# is unanswered three seconds after the end counts with the time it has waited, and is named below the table.
latencies() { # SCENARIO PROXY SERVER PORT RATE
    local words
    begin "${pid[$3]}"
    words=$(timeout $((seconds + 30)) taskset -c 0 "$dir/pace" rate "$4" "$5" 64 "$seconds" /api/v1/orders/1)
    end
    read -r _ answered _ unanswered _ broken _ p50 _ p99 _ p999 _ <<< "$words"
    [ "$broken" = 0 ] && [ "$answered" -gt 0 ] || give_up "$2 at $5 requests/s: $words"
    [ "$unanswered" = 0 ] || figure "$1-unanswered" "$2" "$unanswered"
    figure "$1-p50" "$2" "$p50"
    figure "$1-p99" "$2" "$p99"
    figure "$1-p999" "$2" "$p999"
    figure "$1-cpu" "$2" "$(calculate "$spent / 1e3 / $answered")"
}

# Sets `half`: half of the requests per second that nginx does at most, small JSON over 64 connections, the median of
# three loads. Measured once in a run.
nginx_saturation() {
    [ -z "${half:-}" ] || return 0
    for _ in 1 2 3; do
        load $nginx /api/v1/orders/1 64
        figure saturation nginx "$(calculate "$requests / ($microseconds / 1e6)")"
    done
    half=$(calculate "$(median saturation nginx) / 2")
    half=${half%.*}
}

calculate() { awk "BEGIN { printf \"%.4f\", ($1) }"; }

median() { # SCENARIO PROXY; nothing if it was not measured
    awk -v s="$1" -v p="$2" '$1 == s && $2 == p { print $3 }' "$dir/figures" | sort -g |
        awk '{ a[NR] = $1 } END { if (NR) print NR % 2 ? a[(NR + 1) / 2] : (a[NR / 2] + a[NR / 2 + 1]) / 2 }'
}

short() { # VALUE: three digits or so
    [ -n "$1" ] || { echo "–"; return; }
    awk -v v="$1" 'BEGIN { printf v < 10 ? "%.2f" : v < 100 ? "%.1f" : "%.0f", v }'
}

ratio() { # A B
    if [ -n "$1" ] && [ -n "$2" ]; then awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; else echo "–"; fi
}

row() { # LABEL UNIT SCENARIO
    local n h s
    n=$(median "$3" nginx) h=$(median "$3" haproxy) s=$(median "$3" ours)
    echo "| $1 | $2 | $(short "$n") | $(short "$h") | ${ENVOY:+$(short "$(median "$3" envoy)") | }$(short "$s") |" \
        "$(ratio "$s" "$n") | $(ratio "$s" "$h") |" >> "$dir/table"
}

table() {
    echo
    echo "| | | nginx | HAProxy | ${ENVOY:+Envoy | }strangler | ours / nginx | ours / HAProxy |"
    echo "|---|---|---:|---:|---:|---:|---:|${ENVOY:+---:|}"
    cat "$dir/table"
    awk '$1 ~ /-unanswered$/ { sub("-unanswered", "", $1); if ($3 > n[$1 ", " $2]) n[$1 ", " $2] = $3 }
        END { for (i in n) print "\nUnanswered three seconds after the end of a round, at worst: " n[i] " (" i ")." }' "$dir/figures"
    local worst
    worst=$(awk '$1 == "other" { print $3 }' "$dir/figures" | sort -g | tail -1)
    [ -z "$worst" ] ||
        echo -e "\nOther work had $(short "$(median other core)") % of the proxies' core (median), $(short "$worst") % at worst."
}
