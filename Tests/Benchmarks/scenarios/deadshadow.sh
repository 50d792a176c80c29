# Ours with an extraction in stage shadow whose service takes connections and never answers, beside ours with the same
# extraction in stage identified: client latency at a constant rate, half of what nginx does at most, and CPU. nginx with
# a `mirror` to the same shadow, which it waits for as long as ours does (2 s), is there to compare.
start_origin
start_nginx_proxy
nginx_saturation
stop nginx
start silent 0 "$dir/pace" silent $shadow
start_nginx_mirror 2s
for name in ours ours_other; do extraction $name orders $shadow "/api/v1/orders/**"; done
start_ours ours $ours $admin store
start_ours ours_other $ours_other $admin_other
enter_shadow ours $admin orders
for _ in $(seq "$rounds"); do
    latencies noshadow ours ours_other $ours_other "$half"
    latencies deadshadow ours ours $ours "$half"
    latencies deadshadow nginx nginx $nginx "$half"
    sleep 3 # what still waits for the shadow ends within two seconds
done
status=$(strangler $admin status orders --json)
grep -Eq '"shadow-failed":[1-9]' <<< "$status" || give_up "the shadow was not asked: $status"
times() { ratio "$(median "deadshadow-$1" ours)" "$(median "noshadow-$1" ours)"; }
row "p99 at $half requests/s, no shadow" "µs" noshadow-p99
row "p99, a shadow that never answers: $(times p99) × none" "µs" deadshadow-p99
row "no shadow" "µs CPU / request" noshadow-cpu
row "a shadow that never answers: $(times cpu) × none" "µs CPU / request" deadshadow-cpu
