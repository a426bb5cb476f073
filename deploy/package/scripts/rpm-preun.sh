#!/bin/sh
# Before the files go: $1 is how many versions will be left. With none, stop all.
if [ "$1" -eq 0 ]; then
  if [ -d /run/systemd/system ]; then
    systemctl stop 'orderq-*.socket' 'orderq-*.timer' 'orderq-*.service' || :
  fi
  systemctl --quiet disable orderq-producer.socket orderq-producer.service orderq-consumer.service \
    orderq-consumer@.service orderq-backup.timer || :
fi
exit 0
