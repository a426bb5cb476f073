# Without a password, and the way out.

# without_password: the file may be empty or missing where Redis asks for none.
without_password() {
  local what
  redis-cli config set requirepass '' >/dev/null
  unset REDISCLI_AUTH
  for what in empty missing; do
    [ $what = empty ] && : >/etc/orderq/redis.password || mv /etc/orderq/redis.password /tmp/
    systemctl restart orderq-producer orderq-consumer
    check "redis.password is $what: the services start" eval 'active orderq-producer && active orderq-consumer'
    submit "password-$what" >/dev/null
    check "and orders are delivered" within 10 delivered "password-$what"
    check "orderq status works" orderq status
  done
  mv /tmp/redis.password /etc/orderq/
  echo letmein >/etc/orderq/redis.password
  redis-cli config set requirepass letmein >/dev/null
  export REDISCLI_AUTH=letmein
  systemctl restart orderq-producer orderq-consumer
}

leave() {
  local before
  submit last-1 >/dev/null
  within 10 delivered last-1
  check "systemctl stop of the socket and the service" systemctl stop orderq-producer.socket orderq-producer.service
  check "and the next client does not start it" not submit last-2
  systemctl start orderq-producer
  check "apt-get remove" apt-get remove -y -qq orderq
  check "the timer is gone" not active orderq-backup.timer
  for unit in orderq-producer.socket orderq-producer.service orderq-consumer.service; do
    check "$unit is stopped" not active $unit
  done
  check "nothing of it runs" not pgrep -x orderq
  check "nothing is enabled" not find_links
  check "the configuration is still there" test -s /etc/orderq/orderq.yaml
  before=$(redis-cli dbsize)
  check "apt-get purge" apt-get purge -y -qq orderq
  check "leaves the backups" is "$(find /var/lib/orderq -name 'orderq-orders-*.zst' | wc -l)" 7
  rm -r /var/lib/orderq
  check "and no other file" no_files
  check "no unit" is "$(systemctl list-units --all --plain --no-legend 'orderq*' | wc -l)" 0
  check "Redis runs" active redis-server
  check "with all its keys: $before" is "$(redis-cli dbsize)" "$before"
  check "among them the last order" is "$(redis-cli exists 'orderq:{orders}:order:last-1')" 1
}

find_links() { find /etc/systemd -name 'orderq*' | grep .; }

no_files() {
  local found
  found=$(find / -xdev \( -path /proc -o -path /sys -o -path /trial -o -path /var/lib/dpkg/info \) -prune -o -name '*orderq*' -print)
  is "$found" ''
}
