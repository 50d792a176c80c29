# Ours with 1,000 routes in 100 files beside ours with one, all of the same shape; as many distinct paths for both.
start_origin
for domain in $(seq 100 199); do
    paths=()
    for item in $(seq 10 19); do
        paths+=("/api/v1/domain$domain/part$item/{id}")
        echo "/api/v1/domain$domain/part$item/$((domain * item * 7 % 9000 + 1000))" >> "$dir/routes-1000"
        echo "/api/v1/domain100/part10/$((domain * item * 7 % 9000 + 1000))" >> "$dir/routes-1"
    done
    extraction ours "domain$domain" $shadow "${paths[@]}"
done
sort -R --random-source="$here/run" -o "$dir/routes-1000" "$dir/routes-1000"
extraction ours_other domain100 $shadow "/api/v1/domain100/part10/{id}"
start_ours ours $ours $admin
start_ours ours_other $ours_other $admin_other
for _ in $(seq "$rounds"); do
    cpu_per routes-1 ours "${pid[ours_other]}" $ours_other / 64 paths "$dir/routes-1"
    cpu_per routes-1000 ours "${pid[ours]}" $ours / 64 paths "$dir/routes-1000"
done
row "one route" "µs CPU / request" routes-1
row "1,000 routes: $(ratio "$(median routes-1000 ours)" "$(median routes-1 ours)") × one" "µs CPU / request" routes-1000
