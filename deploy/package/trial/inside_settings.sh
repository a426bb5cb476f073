# Configurations that change, the words to systemd, log files, instances.

reloads() {
  local service before
  for service in orderq-producer orderq-consumer; do
    before=$(of $service MainPID)
    sed -i 's#^  level: info#  level: debug#' /etc/orderq/orderq.yaml
    check "systemctl reload $service" systemctl reload $service
    check "the new log.level is in force" within 5 level $service debug
    sed -i 's#^  level: debug#  levle: info#' /etc/orderq/orderq.yaml
    systemctl reload $service
    check "a bad file: $service says so" within 5 logged $service 'levle'
    check "and goes on with the old settings" level $service debug
    check "in the same process" is "$(of $service MainPID)" "$before"
    sed -i 's#^  levle: info#  level: info#' /etc/orderq/orderq.yaml
    systemctl reload $service
    check "a good file again" within 5 level $service info
  done
  check "orders flow" submit reload-1
  check "to the partner" within 10 delivered reload-1
}

level() { # SERVICE LEVEL
  local port=9181
  [ "$1" = orderq-producer ] || port=9182
  curl -s "http://127.0.0.1:$port/loglevel" | grep -q "\"$2\""
}

# notices: what the services tell systemd at a reload and a stop. It writes down
# each word while it logs everything.
notices() {
  local service
  systemd-analyze log-level debug
  for service in orderq-producer orderq-consumer; do
    systemctl reload $service
    check "$service says RELOADING=1" within 5 logged $service 'notification message.*RELOADING=1'
    check "and READY=1 after it" within 5 ready_after_reload $service
    systemctl restart $service
    check "$service says STOPPING=1" within 5 logged $service 'notification message.*STOPPING=1'
  done
  systemd-analyze log-level info
}

ready_after_reload() { # SERVICE
  journalctl --unit="$1" --output=cat | sed '1,/RELOADING=1/d' | grep -q 'notification message.*READY=1'
}

logs() {
  local file=/var/log/orderq/consumer.log
  echo "ORDERQ_LOG__FILE=$file" >/etc/orderq/consumer.env
  echo "ORDERQ_LOG__FILE=/var/log/orderq/producer.log" >/etc/orderq/producer.env
  systemctl restart orderq-producer orderq-consumer
  check "log.file under /var/log/orderq" within 5 test -s $file
  check "has the mode 0640 and belongs to orderq" is "$(stat -c '%a %U' $file)" "640 orderq"
  check "logrotate takes its rule" logrotate --force /etc/logrotate.d/orderq
  check "and moved the file" test -s $file.1
  submit log-1 >/dev/null
  check "new lines go to the new file" within 10 grep -q log-1 $file
  check "without a line to the journal about a full disk or the like" not logged orderq-consumer 'log.file'
  rotated_alone producer consumer
  rotated_alone consumer producer
  rm /etc/orderq/consumer.env /etc/orderq/producer.env
  systemctl restart orderq-producer orderq-consumer
}

# rotated_alone: the service that runs gets its new file although the other one
# does not run.
rotated_alone() { # ONE OTHER
  local file=/var/log/orderq/$1.log
  systemctl stop orderq-producer.socket "orderq-$2"
  systemctl start "orderq-$1"
  within 5 test -s "$file"
  check "logrotate while only orderq-$1 runs" logrotate --force /etc/logrotate.d/orderq
  check "$1.log is a new file" test -s "$file.1"
  check "and the process writes to it" within 5 has_open "orderq-$1" "$file"
  check "no longer to the old one" within 5 not has_open "orderq-$1" "$file.1"
  systemctl start orderq-producer orderq-consumer
}

has_open() { # SERVICE FILE
  find "/proc/$(of "$1" MainPID)/fd" -lname "$2" | grep -q .
}

# credentials: a secret that only root can read reaches the service by a
# drop-in, as docs/security.md says.
credentials() {
  local dropin=/etc/systemd/system/orderq-consumer.service.d
  (umask 077; echo s3cret >/etc/orderq/api.token)
  mkdir -p $dropin
  printf '[Service]\nLoadCredential=api.token:/etc/orderq/api.token\n' >$dropin/token.conf
  systemctl daemon-reload
  systemctl restart orderq-consumer
  submit token-1 >/dev/null
  check "the partner's token comes from a credential" within 10 grep -qx 'token token-1 Bearer s3cret' /tmp/partner.log
  rm -r $dropin /etc/orderq/api.token
  systemctl daemon-reload
  systemctl restart orderq-consumer
}

# instances: a second queue with a configuration of its own.
instances() {
  cat >/etc/orderq/shop2.yaml <<'END'
queue: {name: shop2}
consumer:
  admin: unix:/run/orderq/shop2.sock
  api: {url: "http://127.0.0.1:9000/orders"}
END
  chgrp orderq /etc/orderq/shop2.yaml
  check "systemctl enable --now orderq-consumer@shop2" systemctl --quiet enable --now orderq-consumer@shop2
  check "its admin listener is a socket under /run/orderq" within 5 \
    curl -sSf --unix-socket /run/orderq/shop2.sock http://localhost/readyz
  check "it sends its own queue" eval 'orderq consumers --config /etc/orderq/shop2.yaml | grep -q "$(of orderq-consumer@shop2 MainPID)"'
  systemctl stop orderq-consumer@shop2 # enabled still, so that the removal has something to do
  rm /etc/orderq/shop2.yaml
}

# misconfigured: a producer that cannot start, clients who start it until systemd
# has enough, and the way out of that which docs/install.md names.
misconfigured() {
  sed -i 's#^  max_body: 64KiB#  max_body: much#' /etc/orderq/orderq.yaml
  systemctl restart orderq-producer 2>/dev/null
  for _ in 1 2 3; do submit bad-1 >/dev/null 2>&1; done
  check "a producer with a bad configuration is not active" not active orderq-producer
  check "and tells what is wrong" logged orderq-producer max_body
  check "orderq config check producer would have told it" names_max_body
  sed -i 's#^  max_body: much#  max_body: 64KiB#' /etc/orderq/orderq.yaml
  systemctl reset-failed orderq-producer.service orderq-producer.socket
  check "repaired, it starts again" systemctl start orderq-producer.socket orderq-producer.service
  check "and takes orders" submit good-1
}

names_max_body() {
  local said
  said=$(orderq config check producer 2>&1)
  is $? 78 && [[ $said == *max_body* ]]
}
