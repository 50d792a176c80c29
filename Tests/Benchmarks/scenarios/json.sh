# A small JSON answer over 64 connections: what a request costs in itself.
start_origin
start_peers
start_ours ours $ours $admin
for _ in $(seq "$rounds"); do cpu_of_all json /api/v1/orders/1 64; done
row "small JSON, 64 connections" "µs CPU / request" json
