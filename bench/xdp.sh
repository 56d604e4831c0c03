#!/bin/bash
# Queries over UDP through a pair of virtual interfaces (veth), one end in a network namespace of
# its own: our service and Knot DNS, each over sockets and by AF_XDP, one after the other, in rounds.
#
# Prints queries/s, and CPU time of the server's threads per query. What the kernel does for the
# server on the generator's core (a veth receives on the sender's core) is in neither, and is the
# same for all four. Compare medians of one run, not figures of two.
#
# Needs root, two cores, `knotd` (without it only ours is run), and a load generator: LOADGEN is a
# program that takes `--server IP:PORT --pattern 'h{n}.dyn.example.' --count N --seconds S --json`
# and prints an object with "qps", "answered", "lost", "bad" and "idle".
#
#   LOADGEN=path bench/xdp.sh
#   LOADGEN=path NAMES=1000000 ROUNDS=5 SECONDS_EACH=5 LOADGEN_OPTIONS=--gso bench/xdp.sh
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
: "${LOADGEN:?the load generator}"
: "${BYNAMED:=$here/target/release/bynamed}"
: "${KNOTD:=$(command -v knotd || ls /usr/sbin/knotd 2>/dev/null || true)}"
: "${NAMES:=10000}" "${ROUNDS:=3}" "${SECONDS_EACH:=3}" "${LOADGEN_OPTIONS:=--gso}"
: "${SERVER_CPU:=0}" "${LOADGEN_CPU:=1}"
: "${PEERS:=byname-sockets byname-xdp knot-sockets knot-xdp}"
export LOADGEN BYNAMED KNOTD NAMES ROUNDS SECONDS_EACH LOADGEN_OPTIONS SERVER_CPU LOADGEN_CPU PEERS

# A network of our own, so that nothing is left behind and nobody is disturbed.
if [ "${1:-}" != inside ]; then
    [ -x "$BYNAMED" ] || { echo "$BYNAMED is missing: cargo build --release -p bynamed" >&2; exit 1; }
    exec unshare --net --mount -- bash "$0" inside
fi

folder=$(mktemp -d)
server=
# The neighbour lives until its input ends.
coproc neighbour { exec unshare --net -- sh -c 'echo up; exec cat'; }
read -r _ <&"${neighbour[0]}"
neighbour=$neighbour_PID
end() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    kill "$neighbour" 2>/dev/null || true
    rm -rf "$folder"
}
trap end EXIT

ip link set lo up
ip link add sv0 type veth peer name cl0 netns "$neighbour"
ip addr add 10.9.0.1/24 dev sv0
ip link set sv0 up
there() { nsenter -t "$neighbour" -n "$@"; }
there ip addr add 10.9.0.2/24 dev cl0
there ip link set cl0 up

{
    echo '@ 300 SOA ns1 hostmaster 1 3600 600 86400 60'
    echo '@ 300 NS ns1'
    echo 'ns1 300 A 192.0.2.53'
    seq 0 $((NAMES - 1)) | sed 's/.*/h& 300 A 192.0.2.1/'
} > "$folder/zone"

"$BYNAMED" zone import dyn.example "$folder/zone" --data "$folder/data" > "$folder/import" 2>&1 ||
    { cat "$folder/import" >&2; exit 1; }

knot_configuration() {
    cat <<END
server:
    rundir: "$folder"
    user: root:root
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    listen: 10.9.0.1@53
$([ "$1" = xdp ] && printf 'xdp:\n    listen: sv0@53')
log:
  - target: "$folder/knot.log"
    any: info
database:
    storage: "$folder/knot"
zone:
  - domain: dyn.example.
    file: "$folder/zone"
    zonefile-sync: -1
    journal-content: none
END
}

# The command of a server.
command_of() {
    case $1 in
        byname-sockets | byname-xdp)
            echo "$BYNAMED serve --data $folder/data --dns 10.9.0.1:53 --http 127.0.0.1:8053 --workers 1" \
                "$([ "$1" = byname-xdp ] && echo --xdp sv0)"
            ;;
        knot-*)
            knot_configuration "${1#knot-}" > "$folder/knot.conf"
            echo "$KNOTD --config $folder/knot.conf"
            ;;
    esac
}

# Nanoseconds that the threads of the server have run.
ran_ns() { cat /proc/"$server"/task/*/schedstat | awk '{ all += $1 } END { printf "%.0f", all }'; }
field() { sed -n "s/.*\"$1\": *\([0-9.]*\).*/\1/p" "$folder/result" | head -1; }
load() {
    there taskset -c "$LOADGEN_CPU" "$LOADGEN" --server 10.9.0.1:53 --pattern 'h{n}.dyn.example.' \
        --count "$NAMES" --warmup 0 --json "$@" > "$folder/result"
}

run() {
    # shellcheck disable=SC2046
    taskset -c "$SERVER_CPU" $(command_of "$1") > "$folder/$1.log" 2>&1 &
    server=$!
    # Ready is who answers a query; the neighbours know each other then, too.
    local tries=0
    until load --seconds 0.2 --inflight 1 --sockets 1 2> /dev/null && [ "$(field answered)" -gt 0 ]; do
        tries=$((tries + 1))
        [ $tries -lt 300 ] && kill -0 "$server" || { echo "$1 does not answer" >&2; cat "$folder/$1.log" >&2; return 1; }
    done
    if [ "$1" = byname-xdp ] && ! grep -q 'answered past the kernel' "$folder/$1.log"; then
        grep AF_XDP "$folder/$1.log" >&2
        return 1
    fi
    if [ "${1#*-}" = xdp ] && ! ip -d link show sv0 | grep -q prog/xdp; then
        echo "$1 has no program on the interface" >&2
        return 1
    fi
    local before after
    before=$(ran_ns)
    # shellcheck disable=SC2086
    load --seconds "$SECONDS_EACH" $LOADGEN_OPTIONS
    after=$(ran_ns)
    awk -v what="$1" -v ns=$((after - before)) -v answered="$(field answered)" -v qps="$(field qps)" \
        -v lost="$(field lost)" -v bad="$(field bad)" -v idle="$(field idle)" 'BEGIN {
            printf "%-15s %9.0f queries/s  %6.3f us server CPU/query  busy %4.2f  lost %d  bad %d  generator idle %s\n",
                what, qps, ns / 1000 / (answered + !answered), ns / 1e9 * qps / (answered + !answered), lost, bad, idle }'
    kill "$server"
    wait "$server" || true
    server=
    # Knot DNS leaves its program behind.
    ip link set dev sv0 xdp off
}

for round in $(seq "$ROUNDS"); do
    for peer in $PEERS; do
        case $peer in
            knot-*) [ -n "$KNOTD" ] || continue ;;
        esac
        run "$peer" > "$folder/line"
        tee -a "$folder/all" < "$folder/line"
    done
done
echo
for peer in $PEERS; do
    # Medians of queries/s and of CPU time.
    awk -v peer="$peer" '$1 == peer { print $2 }' "$folder/all" | sort -n > "$folder/qps"
    awk -v peer="$peer" '$1 == peer { print $4 }' "$folder/all" | sort -n > "$folder/cpu"
    count=$(wc -l < "$folder/qps")
    [ "$count" -gt 0 ] || continue
    middle=$(((count + 1) / 2))
    echo "median $peer: $(sed -n ${middle}p "$folder/qps") queries/s, $(sed -n ${middle}p "$folder/cpu") us server CPU/query"
done
