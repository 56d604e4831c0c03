#!/bin/bash
# http.sh: updates over HTTP (dyndns2) through the service's own door, beside a bare echo on the same
# stack: the same runtime, the same reader of HTTP, one answer for all, and nothing behind it.
#
# Server on one processor with all its threads, the generator on the other; every answer is checked.
# `changed` changes an address each time, and is durable before it is answered; `nochg` asks for what is
# there already; `kept` keeps its connections, each with one request under way; `closed` has a
# connection for each request. One line for each run, in rounds, then the medians and the ratio to the
# echo of the same round. Syncs are counted by the kernel's own counter for the server's process
# (`perf`, as root, data directory on ext4); without it they are not.
#
#   bench/http.sh
#   ROUNDS=7 SECONDS_EACH=3 HOSTS=100000 CONNECTIONS=128 LOG_LEVEL=warn FOLDER=/on/a/disk bench/http.sh
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
: "${ROUNDS:=5}" "${SECONDS_EACH:=2}" "${HOSTS:=10000}" "${CONNECTIONS:=64}" "${LOG_LEVEL:=info}"
: "${SERVER_CPU:=0}" "${CALLER_CPU:=1}" "${FOLDER:=target}"
: "${CASES:=echo-kept nochg-kept changed-kept echo-closed nochg-closed changed-closed}"
if [ -z "${BYNAMED:-}" ]; then
    cargo build --release --quiet -p bynamed -p bench --bins
    BYNAMED=target/release/bynamed
fi
UPDATES=target/release/updates

mkdir -p "$FOLDER"
folder=$(mktemp -d "$FOLDER/http.XXXXXX")
service='' echo=''
end() {
    for process in $service $echo; do kill "$process" && wait "$process" || true; done
    rm -rf "$folder"
}
trap end EXIT

"$UPDATES" prepare --data "$folder/data" --hosts "$HOSTS"
# Waits until a server has said where it is.
told() { until [ -s "$1" ]; do sleep 0.05; done; }
taskset -c "$SERVER_CPU" "$BYNAMED" serve --json --data "$folder/data" --dns 127.0.0.1:0 \
    --http 127.0.0.1:0 --log-level "$LOG_LEVEL" --changes-per-host 0 --changes-per-token 0 \
    --changes-per-account 0 > "$folder/service" 2> "$folder/log" &
service=$!
taskset -c "$SERVER_CPU" "$UPDATES" echo --at 127.0.0.1:0 > "$folder/echo" &
echo=$!
told "$folder/service"
told "$folder/echo"
at_service=$(grep -o '"http":\["[^"]*' "$folder/service" | grep -o '127[^"]*')
at_echo=$(cat "$folder/echo")

syncs=()
if perf stat -e ext4:ext4_sync_file_enter true 2> "$folder/perf"; then
    syncs=(perf stat -x, -e ext4:ext4_sync_file_enter -o "$folder/syncs" -p)
fi

# One run of a case: rate, server us each, busy, p50 us, p99 us, wrong, idle, syncs.
run() {
    local what=${1%-*} how=${1#*-} server=$service at=$at_service
    local workload=$what
    [ "$what" != echo ] || server=$echo at=$at_echo workload=constant
    [ "$what" != nochg ] || "$UPDATES" settle --server "$at" --hosts "$HOSTS"
    # What is measured is not to wait for what was written before.
    sync -f "$folder"
    sleep 0.3
    local counted=()
    [ ${#syncs[@]} = 0 ] || counted=("${syncs[@]}" "$server")
    "${counted[@]}" taskset -c "$CALLER_CPU" "$UPDATES" send --server "$at" --process "$server" \
        --hosts "$HOSTS" --workload "$workload" --connections "$CONNECTIONS" \
        --seconds "$SECONDS_EACH" $([ "$how" = kept ] || echo --closing) | tr '\n' ' '
    if [ ${#syncs[@]} = 0 ]; then echo -; else awk -F, '/sync_file/ { print $1 }' "$folder/syncs"; fi
}

echo "case           requests/s  server us each  busy   p50 us   p99 us  wrong  generator idle  syncs"
for _ in $(seq "$ROUNDS"); do
    for case in $CASES; do
        echo "$case $(run "$case")" | tee -a "$folder/all" |
            awk '{ printf "%-14s %10d %15.2f %5.2f %8d %8d %6d %15.2f  %s\n", $1, $2, $3, $4, $5, $6, $7, $8, $9 }'
    done
done

# The middle of the numbers on standard input.
median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }
column() { awk -v case="$1" -v at="$2" '$1 == case { print $at }' "$folder/all"; }
echo
for case in $CASES; do
    base=echo-${case#*-}
    rate=$(column "$case" 2 | median)
    each=$(column "$case" 3 | median)
    ratio=$(paste <(column "$case" 2) <(column "$base" 2) | awk 'NF == 2 { print $1 / $2 }' | median)
    cost=$(paste <(column "$base" 3) <(column "$case" 3) | awk 'NF == 2 { print $1 / $2 }' | median)
    syncs_each=$(column "$case" 9 | median)
    printf 'median %-14s %7d/s  %6.2f us each  %.2f of the echo by rate, %.2f by processor time  %s syncs\n' \
        "$case" "$rate" "$each" "${ratio:-0}" "${cost:-0}" "$syncs_each"
done
