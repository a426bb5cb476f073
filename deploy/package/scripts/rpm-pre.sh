#!/bin/sh
# Before unpacking: the group must be there, since files belong to it.
if command -v systemd-sysusers >/dev/null; then
  systemd-sysusers --replace=/usr/lib/sysusers.d/orderq.conf - <<'END' || :
u orderq - "orderq" /var/lib/orderq
END
fi
if ! getent passwd orderq >/dev/null; then
  useradd --system --user-group --no-create-home --home-dir /var/lib/orderq --shell /sbin/nologin orderq || :
fi
exit 0
