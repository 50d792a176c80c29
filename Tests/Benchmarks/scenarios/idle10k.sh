# Resident memory that 10,000 idle connections add after one request each. A fresh process each time, for none gives its
# memory back; three rounds, for this hardly varies.
connections=10000
[ "$files" -gt $((connections + 1000)) ] || give_up "idle10k needs $((connections + 1000)) open files, not $files"
resident() { awk '$1 == "Rss:" { print $2 }' "/proc/$1/smaps_rollup"; } # KiB
idle() { # PROXY
    local before opened
    timeout 10 taskset -c 0 wrk -t1 -c64 -d1s "http://127.0.0.1:${!1}/" > /dev/null # what it needs anyway
    before=$(resident "${pid[$1]}")
    start idle 0 "$dir/pace" idle "${!1}" $connections
    for _ in $(seq 600); do
        grep -q open "$dir/idle.log" && break
        kill -0 "${pid[idle]}" 2> /dev/null || break
        sleep 0.1
    done
    opened=$(cat "$dir/idle.log")
    [ "$opened" = "open $connections" ] || give_up "$1 does not hold $connections connections: $opened"
    figure idle10k "$1" "$(calculate "($(resident "${pid[$1]}") - $before) / $connections")"
    stop idle "$1"
}
start_origin
for _ in $(seq $((rounds < 3 ? rounds : 3))); do
    for proxy in $proxies; do
        case $proxy in
            nginx) start_nginx_proxy ;;
            ours) start_ours ours $ours $admin ;;
            *) "start_$proxy" ;;
        esac
        idle "$proxy"
    done
done
row "10,000 idle connections" "KiB resident each" idle10k
