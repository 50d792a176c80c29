# Latency at a constant rate, half of what nginx does at most. The origin without a proxy shows how much of it is the
# machine's, the load's and the origin's own.
start_origin
start_peers
start_ours ours $ours $admin
nginx_saturation
for _ in $(seq "$rounds"); do
    latencies half origin origin $origin "$half"
    for proxy in $proxies; do latencies half "$proxy" "$proxy" "${!proxy}" "$half"; done
done
row "p50 at $half requests/s ($(short "$(median half-p50 origin)") without a proxy)" "µs" half-p50
row "p99 ($(short "$(median half-p99 origin)") without a proxy)" "µs" half-p99
row "p99.9 ($(short "$(median half-p999 origin)") without a proxy)" "µs" half-p999
