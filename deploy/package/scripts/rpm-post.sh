#!/bin/sh
# After unpacking: $1 is how many versions are there. Nothing is started, for it is
# not configured yet, but at the first installation the timer of backups, which does
# nothing before a producer or a consumer is enabled.
for dir in /var/lib/orderq /var/lib/orderq/backup; do # "orderq backup" may come before the first night
  [ -d "$dir" ] || install -d -m 0750 -o orderq -g orderq "$dir" || :
done
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || :
fi
if [ "$1" -eq 1 ]; then
  systemctl --quiet enable orderq-backup.timer || :
  [ ! -d /run/systemd/system ] || systemctl start orderq-backup.timer || :
fi
exit 0
