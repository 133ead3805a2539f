#!/bin/sh
# Regenerates the assembly and fails if it differs from what is committed.
set -eu
cd "$(dirname "$0")"
new=$(mktemp)
trap 'rm -f "$new" "$new.body"' EXIT
go run . -out "$new" -pkg kernel
# The first line names the command, and so the output file.
tail -n +2 "$new" >"$new.body"
tail -n +2 ../kernel_amd64.s | cmp -s - "$new.body" || {
	echo "harness/compute/kernel/kernel_amd64.s is not what gen writes: run go generate ./harness/compute/kernel" >&2
	exit 1
}
