#!/usr/bin/env bash
# All that is tried inside the container: one line for each thing, ok or FAIL.
# Usage: inside.sh --full|--short
set -u
cd /tmp
passed=0 failed=0

# check says whether a command succeeds; what it wrote is shown if not.
check() { # TEXT COMMAND...
  local said
  if said=$("${@:2}" 2>&1); then
    echo "ok    $1"
    passed=$((passed + 1))
  else
    echo "FAIL  $1"
    [ -z "$said" ] || echo "$said" | tail -n 15 | sed 's/^/        /'
    failed=$((failed + 1))
  fi
}

# within repeats a command until it succeeds.
within() { # SECONDS COMMAND...
  local end=$((SECONDS + $1))
  until "${@:2}" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || { "${@:2}"; return 1; }
    sleep 0.2
  done
}

not() { ! "$@"; }
is() { [ "$1" = "$2" ] || { echo "$1, want $2"; return 1; }; }
of() { systemctl show --property="$2" --value "$1"; } # UNIT PROPERTY
active() { systemctl is-active --quiet "$1"; }
delivered() { grep -qx "done $1" /tmp/partner.log; } # ID
logged() { grep -q -- "$2" < <(journalctl --unit="$1" --output=cat); } # UNIT TEXT

submit() { # ID
  curl -sS --fail-with-body -H 'Content-Type: application/json' \
    -d "{\"order_id\":\"$1\",\"amount\":\"12.50\",\"currency\":\"TWD\"}" http://127.0.0.1:8080/v1/orders
}

for part in install faults settings load backup leave rpm; do
  # shellcheck source=/dev/null
  . "/trial/inside_$part.sh"
done

install_packages
configure
start
backups
if [ "$1" = --full ]; then
  faults
  slow_stop
  reloads
  notices
  logs
  credentials
  instances
  misconfigured
  restarts_under_load
  other_versions
  without_password
fi
leave
[ "$1" != --full ] || by_rpm
echo "$passed ok, $failed FAIL; took $SECONDS s inside"
[ $failed = 0 ]
