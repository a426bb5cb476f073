#!/bin/sh
# After unpacking. Nothing is started: it is not configured yet.
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || :
fi
exit 0
