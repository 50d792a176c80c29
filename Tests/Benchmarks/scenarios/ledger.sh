# Writes that both sides get, each on record before its primary sees it, beside writes of the same proxy that only the
# monolith gets, and beside reads that both sides get and whose answers are compared: what a dual-write without a ledger
# would cost. How many a second over 64 connections, and how long one takes alone. The spool is where the temporary
# files are: on a real disk, or it says nothing.
start_origin
start_nginx shadow 0 $shadow "server { listen 127.0.0.1:$shadow backlog=4096; location / { return 200 '$body'; } }"
extraction ours orders $shadow "/api/v1/orders"
echo 'shadow: {writes: dual-write}
cutover: {affinity: {cookie: session}}' >> "$dir/ours/Routes/orders.yaml"
extraction ours plain $shadow "/api/v1/plain"
start_ours ours $ours $admin store
enter_shadow ours $admin orders

# Nothing is owed to the other side any more.
delivered() {
    for _ in $(seq 300); do
        strangler $admin status orders --json | grep -q '"backlog":0' && return
        sleep 0.1
    done
    give_up "writes are left: $(strangler $admin status orders --json)"
}
for _ in $(seq "$rounds"); do
    for way in plain reads orders; do
        for connections in 64 1; do
            begin "${pid[ours]}"
            case $way in
            plain) load $ours /api/v1/plain $connections sessions 1024 ;;
            reads) load $ours /api/v1/orders $connections reads 1024 ;;
            orders)
                load $ours /api/v1/orders $connections sessions 1024
                delivered
                ;;
            esac
            end
            if [ $connections = 64 ]; then
                figure ledger-rate-$way ours "$(calculate "$requests / ($microseconds / 1e6)")"
                figure ledger-cpu-$way ours "$(calculate "$spent / 1e3 / $requests")"
            else
                figure ledger-alone-$way ours "$(calculate "$microseconds / $requests")"
            fi
        done
    done
done
row "writes of one side, 64 connections" "requests / s" ledger-rate-plain
row "reads of both sides, compared, 64 connections" "requests / s" ledger-rate-reads
row "writes on record, 64 connections: $(ratio "$(median ledger-rate-orders ours)" "$(median ledger-rate-plain ours)") and \
$(ratio "$(median ledger-rate-orders ours)" "$(median ledger-rate-reads ours)") of those" "requests / s" ledger-rate-orders
row "writes of one side, alone" "µs" ledger-alone-plain
row "writes on record, alone" "µs" ledger-alone-orders
row "writes of one side" "µs CPU / request" ledger-cpu-plain
row "reads of both sides, compared" "µs CPU / request" ledger-cpu-reads
row "writes on record, delivered, compared" "µs CPU / request" ledger-cpu-orders
