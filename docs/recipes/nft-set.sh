#!/bin/sh
# Keeps the sets of an nftables table (family inet) at the addresses of a host.
#
#   nft-set.sh HOST TABLE SET4 SET6 < changes
#
# Reads messages of webhooks or server-sent events, one JSON object a line. A family that a change does
# not mention stays as it is; all of one change takes effect at once. Needs jq and nft.
set -eu
host=$1 table=$2 set4=$3 set6=$4

# The addresses of a type after a change, with commas between; fails when the change says nothing of it.
after() {
    printf '%s\n' "$message" | jq -er --arg host "$host" --arg type "$1" '
        select(.type == "change" and .host == $host and (.after | has($type)))
        | [.after[$type] // [] | .[] | select(test("^[0-9A-Fa-f:.]+$"))] | join(", ")'
}

fill() {
    echo "flush set inet $table $1"
    [ -z "$2" ] || echo "add element inet $table $1 { $2 }"
}

sed -u -n 's/^data: *//; /^{/p' | while IFS= read -r message; do
    {
        if addresses=$(after A); then fill "$set4" "$addresses"; fi
        if addresses=$(after AAAA); then fill "$set6" "$addresses"; fi
    } | nft -f -
done
