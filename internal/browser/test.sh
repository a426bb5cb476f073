#!/usr/bin/env bash
# Tests the browser module and the order page with Node and Chromium; "make
# browser" builds the program first. --pictures draws docs/pictures instead.
set -euo pipefail
cd "$(dirname "$0")"

export CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
if [ -z "$CHROMIUM" ] || ! command -v npm >/dev/null || ! node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)'; then
  echo "the browser tests need chromium, npm and Node 20.14 or later; Debian 13: sudo apt-get install chromium nodejs npm" >&2
  exit 1
fi
if [ "${1:-}" = --pictures ] && [ -z "$(fc-list :lang=zh-tw)" ]; then
  echo "without a font for Traditional Chinese the pictures would show empty boxes; Debian: sudo apt-get install fontconfig fonts-noto-cjk" >&2
  exit 1
fi
# What npm ci installed is noted in this file.
if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
  npm ci --silent
fi
if [ "${1:-}" = --pictures ]; then
  exec node pictures.mjs
fi
node_modules/.bin/tsc --project .
node --test --test-force-exit --test-concurrency=3 --test-reporter=spec .
