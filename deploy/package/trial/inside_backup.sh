# The nightly backup, and the way back from it.

backups() {
  local file
  check "the timer's next backup is at 01:00" is "$(systemctl show orderq-backup.timer --property=NextElapseUSecRealtime --value | cut -d ' ' -f 3)" 01:00:00
  orderq pause --reason "the drill" >/dev/null 2>&1
  submit backup-1 >/dev/null
  check "orderq backup as orderq, before the first night" setpriv --reuid=orderq --regid=orderq --init-groups orderq backup
  rm -f /var/lib/orderq/backup/*
  check "systemctl start orderq-backup" systemctl start orderq-backup
  file=$(find /var/lib/orderq/backup -name 'orderq-orders-*.zst')
  check "made one file" test -f "$file"
  check "readable by orderq alone" is "$(stat -c '%a %U:%G' "$file")" "600 orderq:orderq"
  redis-cli flushall >/dev/null
  check "orderq restore" orderq restore "$file" --yes --reason "the drill"
  check "orderq resume" orderq resume
  check "the order is delivered" within 30 delivered backup-1
  for _ in 1 2 3 4 5 6 7; do
    sleep 1 # their names tell seconds
    systemctl start orderq-backup
  done
  check "seven are kept" is "$(find /var/lib/orderq/backup -name 'orderq-orders-*.zst' | wc -l)" 7
  check "among them not the first" not test -e "$file"
}
