# The same by rpm, whose scripts really run: in, to a newer version, out. What
# they need is Debian's here, so no dependency is asked for.

by_rpm() {
  userdel orderq
  check "apt-get install rpm" apt_install rpm
  in_the_rpm /trial/orderq.rpm
  check "rpm -i" rpm -i --nodeps /trial/orderq-old.rpm
  check "its first script made the user and the group" id orderq
  check "redis.password belongs to root:orderq, 0640" is "$(stat -c '%a %U:%G' /etc/orderq/redis.password)" "640 root:orderq"
  check "the folder of backups is there, for orderq alone" own_folders
  for unit in orderq-producer.socket orderq-producer.service orderq-consumer.service; do
    check "$unit is neither started nor enabled" idle_unit "$unit"
  done
  check "orderq-backup.timer is enabled and waits" waiting_timer
  check "rpm -V finds nothing changed" rpm -V --nodeps orderq
  configure_again
  systemctl --quiet enable --now orderq-producer orderq-consumer
  submit rpm-1 >/dev/null
  check "an order is delivered" within 10 delivered rpm-1

  upgrade_by_rpm
  remove_by_rpm
}

in_the_rpm() { # FILE
  local file script
  check "the rpm is whole" rpm -K --nosignature "$1"
  check "its description does not repeat the summary" not eval "rpm -qp --qf '%{DESCRIPTION}' $1 | grep -F \"\$(rpm -qp --qf '%{SUMMARY}' $1)\""
  for file in /usr/bin/orderq /usr/lib/systemd/system/orderq-{producer.service,producer.socket,consumer.service,consumer@.service,backup.service,backup.timer} \
    /usr/lib/sysusers.d/orderq.conf /usr/share/zsh/site-functions/_orderq /usr/share/doc/orderq/sbom.cdx.json; do
    check "it has $file" lists "$1" "$file"
  done
  for file in /etc/orderq/orderq.yaml /etc/orderq/redis.password /etc/logrotate.d/orderq; do
    check "$file is config(noreplace)" noreplace "$1" "$file"
  done
  for script in preinstall postinstall preuninstall postuninstall; do
    check "it has a $script script" has_script "$1" $script
  done
}

lists() { rpm -qpl "$1" | grep -x -- "$2"; }
noreplace() { rpm -qp --qf '[%{FILENAMES} %{FILEFLAGS:fflags}\n]' "$1" | grep -x "$2 cn"; }
has_script() { rpm -qp --scripts "$1" | grep "^$2 scriptlet"; }

# configure_again: Redis and the partner run as before.
configure_again() {
  echo letmein >/etc/orderq/redis.password
  sed -i 's#^    url: ""#    url: http://127.0.0.1:9000/orders#; s#^  pace: 1/s#  pace: 500/s#' /etc/orderq/orderq.yaml
}

upgrade_by_rpm() {
  local sum
  check "the older version runs" runs 0.0.1
  sum=$(sha256sum /etc/orderq/orderq.yaml /etc/orderq/redis.password)
  check "rpm -U" rpm -U --nodeps /trial/orderq.rpm
  check "what ran is restarted with the new version" within 10 runs "$(rpm -q --qf '%{VERSION}' orderq)"
  check "the changed configuration is as it was" is "$(sha256sum /etc/orderq/orderq.yaml /etc/orderq/redis.password)" "$sum"
  check "what was enabled still is" is "$(systemctl is-enabled orderq-consumer)" enabled
  submit rpm-2 >/dev/null
  check "orders are delivered" within 10 delivered rpm-2
}

remove_by_rpm() {
  check "rpm -e" rpm -e orderq
  check "nothing of it runs" not pgrep -x orderq
  check "nothing is enabled" not find_links
  check "no unit is left" is "$(systemctl list-units --all --plain --no-legend 'orderq*' | wc -l)" 0
  check "the empty folder of backups is gone" not test -e /var/lib/orderq
  check "the changed configuration is kept aside" test -s /etc/orderq/orderq.yaml.rpmsave
  check "the last order is still in Redis" is "$(redis-cli exists 'orderq:{orders}:order:rpm-2')" 1
}
