# Answers of 100 KiB over 64 connections.
mkdir -p "$dir/files"
head -c 102400 /dev/zero | tr '\0' x > "$dir/files/100k.json"
start_origin
start_peers
start_ours ours $ours $admin
for _ in $(seq "$rounds"); do cpu_of_all large100k /files/100k.json 64; done
row "100 KiB answers" "µs CPU / request" large100k
