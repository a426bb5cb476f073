#!/bin/sh
# Before the files go: $1 is "remove", or "upgrade" when a new version is about
# to come; then what runs goes on running until that one is there.
set -e
[ "$1" = remove ] || exit 0
if [ -d /run/systemd/system ]; then
  systemctl stop 'orderq-*.socket' 'orderq-*.timer' 'orderq-*.service' || true
fi
if command -v systemctl >/dev/null; then
  if systemctl --quiet is-enabled orderq-backup.timer 2>/dev/null; then # as it was, should it come back
    mkdir -p /var/lib/orderq && : >/var/lib/orderq/backup-timer-was-enabled
  fi
  systemctl --quiet disable orderq-producer.socket orderq-producer.service orderq-consumer.service \
    orderq-consumer@.service orderq-backup.timer || true
fi
