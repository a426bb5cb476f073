# Restarts while orders come, and other versions of the package.

rate=200
# Set: the customers keep their connections. A request that is just on its way on
# one that the server closes meanwhile gets no answer, whatever the server does;
# every HTTP client has to repeat it. So how many there are is noted, no more.
kept=

# loaded runs a command while orders come, and checks that none was refused,
# lost or delivered twice.
loaded() { # NAME COMMAND...
  local customers line
  /trial/trial load http://127.0.0.1:8080/v1/orders $rate "$1" "/tmp/$1.ids" ${kept:+kept} >"/tmp/$1.said" 2>"/tmp/$1.errors" &
  customers=$!
  sleep 1
  "${@:2}"
  sleep 1
  kill -TERM $customers
  wait $customers
  line=$(cat "/tmp/$1.said")
  if [ -n "$kept" ]; then
    echo "note  $1: $line"
  else
    check "$1: $line" eval "head -n 5 /tmp/$1.errors; grep -q ', failed 0$' /tmp/$1.said"
  fi
  check "$1: none lost" within 30 none_lost "$1"
  check "$1: none doubled" none_doubled "$1"
}

none_lost() { # NAME
  local lost
  lost=$(grep -F "done $1-" /tmp/partner.log | cut -d' ' -f2 | sort -u | comm -13 - <(sort "/tmp/$1.ids") | wc -l)
  is "$lost lost of $(wc -l <"/tmp/$1.ids")" "0 lost of $(wc -l <"/tmp/$1.ids")"
}

none_doubled() { # NAME
  is "$(grep -F "done $1-" /tmp/partner.log | sort | uniq -d | wc -l) doubled" "0 doubled"
}

restarts_under_load() {
  loaded producer-restarts ten_restarts orderq-producer
  loaded consumer-restarts ten_restarts orderq-consumer
  kept=kept loaded kept-connections ten_restarts orderq-producer
  systemctl reset-failed
}

ten_restarts() { # SERVICE
  local begin=$SECONDS
  systemctl reset-failed "$1" # the starts of before do not count
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    systemctl restart "$1" || { echo "FAIL  restart of $1"; failed=$((failed + 1)); }
    sleep 0.5
  done
  echo "      ten restarts of $1 took $((SECONDS - begin)) s"
}

# other_versions goes back to an older package and forth again, under load. The
# older one has another orderq.yaml, so dpkg would ask which to keep.
other_versions() {
  local version keep=(-o Dpkg::Options::=--force-confold)
  version=$(dpkg-query -W -f '${Version}' orderq)
  sum=$(sha256sum /etc/orderq/orderq.yaml /etc/orderq/redis.password)
  check "an older package with another orderq.yaml" other_yaml
  loaded downgrade apt_install "${keep[@]}" /tmp/older.deb
  check "an older package runs" runs 0.0.1
  check "without a word on whose file to keep, the upgrade stops" not apt_install /trial/orderq.deb
  check "and the older one goes on running" runs 0.0.1
  check "dpkg --force-confold --configure -a goes on with it" dpkg --force-confold --configure -a
  check "the newer one runs" runs "${version%-1}"
  apt_install "${keep[@]}" /tmp/older.deb
  rm /tmp/older.deb
  loaded upgrade apt_install "${keep[@]}" /trial/orderq.deb
  check "the newer one again" runs "${version%-1}"
  check "the changed configuration is as it was" is "$(sha256sum /etc/orderq/orderq.yaml /etc/orderq/redis.password)" "$sum"
  check "its mode too" is "$(stat -c '%a %U:%G' /etc/orderq/orderq.yaml)" "640 root:orderq"
}

# other_yaml packs the older package anew, with one more line in its orderq.yaml.
other_yaml() {
  dpkg-deb -R /trial/orderq-old.deb /tmp/older &&
    echo '# As it was shipped before.' >>/tmp/older/etc/orderq/orderq.yaml &&
    dpkg-deb -b /tmp/older /tmp/older.deb &&
    rm -r /tmp/older
}

runs() { # VERSION
  local service
  for service in orderq-producer orderq-consumer; do
    active $service || return 1
    "/proc/$(of $service MainPID)/exe" version | grep -qF "orderq $1 " || return 1
  done
}
