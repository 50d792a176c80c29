# The same with 1 KiB of request body.
start_origin
start_peers
start_ours ours $ours $admin
for _ in $(seq "$rounds"); do cpu_of_all post /api/v1/orders 64 post 1024; done
row "POST of 1 KiB" "µs CPU / request" post
