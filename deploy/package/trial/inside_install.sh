# From a bare Debian to the first delivered order.

# commands are those of docs/install.md, section 1.
mapfile -t commands < <(sed '1,/^## 1\. Six commands/d' /trial/install.md | sed '1,/^```sh$/d' | sed '/^```$/,$d')

# type_in does one of them, with the names of here.
type_in() { # NUMBER
  local command=${commands[$1 - 1]}
  command=${command/apt-get install/apt-get install -y -qq -o Dpkg::Use-Pty=0}
  command=${command/.\/orderq_\*_amd64.deb//trial/orderq.deb}
  command=${command/CHANGE-ME/letmein}
  command=${command/https:\/\/partner.example\/v1/http://127.0.0.1:9000}
  check "command $1: ${commands[$1 - 1]}" eval "$command"
}

install_packages() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  check "docs/install.md has six commands" is ${#commands[@]} 6
  type_in 1
  for unit in orderq-producer.socket orderq-producer.service orderq-consumer.service; do
    check "$unit is neither started nor enabled" idle_unit "$unit"
  done
  check "orderq-backup.timer is enabled and waits" waiting_timer
  systemctl start orderq-backup
  check "a backup does nothing before anything is enabled" is "$(of orderq-backup ConditionResult)/$(of orderq-backup ActiveState)" no/inactive
  check "redis.password belongs to root:orderq, 0640" is "$(stat -c '%a %U:%G' /etc/orderq/redis.password)" "640 root:orderq"
  check "orderq.yaml belongs to root:orderq, 0640" is "$(stat -c '%a %U:%G' /etc/orderq/orderq.yaml)" "640 root:orderq"
  check "the folder of backups is there, for orderq alone" own_folders
  check "completions, manual, rules, licences and bill of materials are there" ls -d \
    /usr/share/bash-completion/completions/orderq /usr/share/zsh/vendor-completions/_orderq \
    /usr/share/fish/vendor_completions.d/orderq.fish /usr/share/man/man1/orderq.1.gz \
    /usr/share/orderq/prometheus/alerts.yml /usr/share/orderq/grafana/orderq.json \
    /usr/share/doc/orderq/README.md /usr/share/doc/orderq/copyright /usr/share/doc/orderq/sbom.cdx.json \
    /usr/share/doc/orderq/licenses/go/LICENSE /usr/share/doc/orderq/licenses/github.com/redis/rueidis/LICENSE
  check "no link in the documents leads nowhere" is "$(broken_links)" ''
  check "the bill of materials names the version" grep -qF "\"version\": \"$(dpkg-query -W -f '${Version}' orderq | sed 's/-1$//')\"" /usr/share/doc/orderq/sbom.cdx.json
  check "the shipped configuration is good" orderq config check

  systemctl start orderq-consumer 2>/dev/null
  sleep 3
  check "a bad configuration ends with 78" is "$(of orderq-consumer ExecMainStatus)" 78
  check "and is not restarted" is "$(of orderq-consumer NRestarts)/$(of orderq-consumer ActiveState)" 0/failed
  systemctl reset-failed orderq-consumer
}

# broken_links finds what the installed documents refer to and is not there.
broken_links() {
  local file link
  (cd /usr/share/doc/orderq && grep -roP --include=*.md '\]\(\K(?![a-z]+:|#)[^)# ]+' .) | while IFS=: read -r file link; do
    [ -e "/usr/share/doc/orderq/${file%/*}/$link" ] || echo "$file: $link"
  done
}

own_folders() { is "$(stat -c '%a %U:%G' /var/lib/orderq /var/lib/orderq/backup | uniq)" "750 orderq:orderq"; }

# apt_install shows what apt said if it failed; nobody is there to be asked.
apt_install() {
  local said
  said=$(DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --allow-downgrades -o Dpkg::Use-Pty=0 "$@" </dev/null 2>&1) ||
    { echo "$said"; return 1; }
}

waiting_timer() { active orderq-backup.timer && is "$(systemctl is-enabled orderq-backup.timer)" enabled; }
idle_unit() { ! active "$1" && is "$(systemctl is-enabled "$1")" disabled; }

configure() {
  local command
  for command in 2 3 4 5; do type_in $command; done
  export REDISCLI_AUTH=letmein
  check "Redis keeps an append-only file" is "$(redis-cli config get appendonly | tail -n 1)" yes
  # Faster than shipped; and shorter, so that a dead consumer is missed soon.
  sed -i 's#^  pace: 1/s#  pace: 500/s#; s#^    timeout: 10s#    timeout: 4s#; s#^  lease: 15s#  lease: 5s#' /etc/orderq/orderq.yaml
  check "orderq config check consumer" orderq config check consumer
  systemd-run --quiet --unit=partner /trial/trial partner 127.0.0.1:9000 /tmp/partner.log
}

start() {
  type_in 6
  for unit in orderq-producer.socket orderq-producer.service orderq-consumer.service; do
    check "$unit is active" active "$unit"
  done
  check "the producer's socket is systemd's, and enabled" is "$(systemctl is-enabled orderq-producer.socket)" enabled
  check "STATUS says where the consumer stands: $(of orderq-consumer StatusText)" is "$(of orderq-consumer StatusText | grep -c 127.0.0.1:6379)" 1
  check "an order is accepted" within 5 submit first-1
  check "and delivered" within 10 delivered first-1
  check "orderq status reads the password from /etc/orderq/redis.password" orderq status
  check "without permission the command says what to do" says_what_to_do
}

says_what_to_do() {
  local said
  said=$(setpriv --reuid=65534 --regid=65534 --clear-groups orderq status 2>&1) && return 1
  echo "$said"
  [ "$(echo "$said" | grep -c 'sudo -u orderq.*usermod -aG orderq')" = 2 ] # orderq.yaml and redis.password
}
