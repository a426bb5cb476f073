#!/usr/bin/env bash
# Has systemd check the unit files, with the program just built in the place of
# the one they would start. Usage: verify.sh PROGRAM
set -euo pipefail

program=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
if ! command -v systemd-analyze >/dev/null; then
  echo "systemd-analyze is not here; the unit files are not checked" >&2
  exit 0
fi
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
for unit in "$here"/*.service; do
  sed "s#/usr/bin/orderq#$program#" "$unit" >"$copy/$(basename "$unit")"
done
said=$(systemd-analyze verify --recursive-errors=no "$copy"/*.service 2>&1) || true
if [ -n "$said" ]; then
  echo "$said" >&2
  exit 1
fi
for unit in "$copy"/*.service; do
  systemd-analyze security --offline=true --threshold=15 "$unit" | tail -n 1
done
