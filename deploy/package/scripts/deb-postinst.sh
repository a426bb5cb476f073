#!/bin/sh
# After unpacking: $1 is "configure" and $2 the version that was there, if any.
set -e
[ "$1" = configure ] || exit 0

if command -v systemd-sysusers >/dev/null; then
  systemd-sysusers orderq.conf
elif ! getent passwd orderq >/dev/null; then
  useradd --system --user-group --no-create-home --home-dir /var/lib/orderq --shell /usr/sbin/nologin orderq
fi
if [ -z "$2" ]; then # later they have the mode that the administrator wants
  for file in /etc/orderq/orderq.yaml /etc/orderq/redis.password; do
    [ ! -e "$file" ] || chgrp orderq "$file"
  done
fi
for dir in /var/lib/orderq /var/lib/orderq/backup; do # "orderq backup" may come before the first night
  [ -d "$dir" ] || install -d -m 0750 -o orderq -g orderq "$dir"
done
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  # What ran goes on with the new version; nothing else is started.
  [ -z "$2" ] || systemctl try-restart orderq-producer.service 'orderq-consumer*.service' || true
fi
# The timer of backups, at the first installation and when it was enabled before a
# removal. It does nothing before a producer or a consumer is enabled.
kept=/var/lib/orderq/backup-timer-was-enabled
if command -v systemctl >/dev/null && { [ -z "$2" ] || [ -e "$kept" ]; }; then
  systemctl --quiet enable orderq-backup.timer || true
  [ ! -d /run/systemd/system ] || systemctl start orderq-backup.timer || true
  rm -f "$kept"
fi
