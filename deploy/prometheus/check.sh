#!/usr/bin/env bash
# Checks the rules and example configurations beside it and runs the rules'
# tests. Usage: check.sh FOLDER, where FOLDER/bin has promtool and amtool.
set -euo pipefail

tools=$(realpath "$1")/bin
cd "$(dirname "$0")"
"$tools/promtool" check rules --lint=all --lint-fatal recording.yml alerts.yml
"$tools/promtool" check config prometheus.yml
"$tools/amtool" check-config alertmanager.yml
"$tools/promtool" test rules ./*_test.yml
