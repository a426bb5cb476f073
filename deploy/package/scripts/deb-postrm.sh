#!/bin/sh
# After the files went: $1 is "remove", then perhaps "purge". Redis and the
# orders in it are never touched, nor are backups: there are orders in them. The
# user stays, as is usual: a file somewhere may belong to it.
set -e
if [ "$1" = purge ]; then
  rm -rf /var/log/orderq /run/orderq /var/lib/orderq/backup-timer-was-enabled
fi
if [ "$1" = remove ] || [ "$1" = purge ]; then
  rmdir /var/lib/orderq/backup /var/lib/orderq 2>/dev/null || true # if they are empty
fi
if [ "$1" = purge ]; then
  [ ! -d /var/lib/orderq ] || echo "orderq: /var/lib/orderq is left, with the backups in it" >&2
  rm -f /var/lib/systemd/timers/stamp-orderq-backup.timer
  for unit in /etc/systemd/system/orderq-*; do # what "systemctl mask" left
    [ "$(readlink "$unit")" != /dev/null ] || rm -f "$unit"
  done
fi
if [ "$1" = remove ] || [ "$1" = purge ]; then
  if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || true
    systemctl reset-failed 'orderq-*' 2>/dev/null || true
  fi
fi
