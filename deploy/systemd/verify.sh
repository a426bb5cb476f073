#!/usr/bin/env bash
# Has systemd check the unit files, with the program just built in the place of
# the one they would start, and an instance of each template. Usage: verify.sh PROGRAM
set -euo pipefail

program=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
if ! command -v systemd-analyze >/dev/null; then
  echo "systemd-analyze is not here; the unit files are not checked" >&2
  exit 0
fi
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
for unit in "$here"/*.service "$here"/*.socket "$here"/*.timer; do
  name=$(basename "$unit")
  sed "s#/usr/bin/orderq#$program#" "$unit" >"$copy/${name/@./@shop2.}"
done
said=$(systemd-analyze verify --man=no --recursive-errors=no "$copy"/* 2>&1) || true
if [ -n "$said" ]; then
  echo "$said" >&2
  exit 1
fi
# 15 is an exposure of 1.5 out of 10.
for unit in "$copy"/*.service; do
  systemd-analyze security --offline=true --threshold=15 "$unit" | tail -n 1
done
