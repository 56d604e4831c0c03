#!/bin/sh
# Moves the endpoint of a WireGuard peer to where a host is now.
#
#   wireguard-endpoint.sh HOST INTERFACE PEER PORT < changes
#
# Reads messages of webhooks or server-sent events, one JSON object a line. PEER is its public key. When a
# change has addresses of both families, IPv4 is taken. Needs jq and wg.
set -eu
host=$1 interface=$2 peer=$3 port=$4

sed -u -n 's/^data: *//; /^{/p' | while IFS= read -r message; do
    endpoint=$(printf '%s\n' "$message" | jq -r --arg host "$host" --arg port "$port" '
        select(.type == "change" and .host == $host)
        | first(((.after.A // [])[] | . + ":" + $port), ((.after.AAAA // [])[] | "[" + . + "]:" + $port))
        | select(test("^[][0-9A-Fa-f:.]+$"))')
    # A host without an address keeps its peer where it was.
    [ -z "$endpoint" ] || wg set "$interface" peer "$peer" endpoint "$endpoint"
done
