# Answers of 10 MiB over 8 connections: what passing bytes on costs.
mkdir -p "$dir/files"
head -c 10485760 /dev/zero | tr '\0' x > "$dir/files/10m.json"
start_origin
start_peers
start_ours ours $ours $admin
for _ in $(seq "$rounds"); do per=bytes cpu_of_all large10m /files/10m.json 8; done
row "10 MiB answers" "µs CPU / MiB" large10m
