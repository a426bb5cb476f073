#!/bin/sh
# After the old files went: $1 is how many versions are left. With one, this was
# an upgrade, and what ran goes on with the new version.
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || :
  if [ "$1" -ge 1 ]; then
    systemctl try-restart orderq-producer.service 'orderq-consumer*.service' || :
  else
    systemctl reset-failed 'orderq-*' 2>/dev/null || :
  fi
fi
[ "$1" -ge 1 ] || rmdir /var/lib/orderq/backup /var/lib/orderq 2>/dev/null || : # if they are empty
exit 0
