#!/usr/bin/env bash
# The move out of a list, with the real thing: a PHP pusher and a PHP processor with
# php-redis from Debian's packages. The processor is stopped half way, orderq takes the
# rest while the pusher goes on, and is killed once. In the end the partner must have
# every order once, in order, byte for byte. For lists popped at the head, and at the tail.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
orderq=$(cd "$here/../.." && pwd)/bin/orderq
orders=${1:-3000}

missing=()
command -v redis-server >/dev/null || missing+=(redis-server redis-tools)
command -v php >/dev/null || missing+=(php-cli)
php -m 2>/dev/null | grep -qx redis || missing+=(php-redis)
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "this needs more packages; install them with: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o DPkg::Lock::Timeout=300 --no-install-recommends "${missing[@]}" >/dev/null
fi

port() { php -r '$s = stream_socket_server("tcp://127.0.0.1:0"); echo explode(":", stream_socket_get_name($s, false))[1];'; }
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null; rm -rf "$dir"' EXIT
cd "$dir" # no configuration file, no .env of this machine
old=$(port) new=$(port) web=$(port)
export PARTNER_LOG=$dir/sent

fail() { echo "FAIL: $*" >&2; exit 1; }
# Waits until a command succeeds: at most half a minute.
await() {
  for _ in $(seq 600); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.05
  done
  fail "not within 30 seconds: $*"
}
removed() { redis-cli -p "$old" GET '{order_queue}:orderq-imported'; }
removed_some() { [ "0$(removed)" -ge 100 ]; }
sent_some() { [ "$(wc -l <sent)" -ge $((orders / 10)) ]; }
sent_all() { [ "$(wc -l <sent)" -ge "$orders" ]; }
# Shows a command as it would be typed, and runs it.
show() { echo "\$ orderq $*"; "$orderq" "${settings[@]}" "$@" 2>&1; }

redis-server --port "$old" --bind 127.0.0.1 --save '' --rename-command HELLO '' >old.log &
redis-server --port "$new" --bind 127.0.0.1 --save '' >new.log &
php -S "127.0.0.1:$web" "$here/partner.php" >partner.log 2>&1 &
await redis-cli -p "$old" PING
await redis-cli -p "$new" PING
await curl -sS "http://127.0.0.1:$web/"

# drill END PUSH POP
drill() {
  echo "== the old processor used $3, so --end $1"
  local queue=drill-$1 from=redis://127.0.0.1:$old pusher processor import consumer
  settings=(--set "redis.addresses=127.0.0.1:$new" --queue "$queue")
  redis-cli -p "$old" DEL '{order_queue}:orderq-imported' >/dev/null
  : >sent
  php "$here/pushOrders.php" "$old" "$2" "$orders" 700 &
  pusher=$!
  php "$here/processOrderQueue.php" "$old" "$3" "http://127.0.0.1:$web/" 2000 &
  processor=$!
  await sent_some
  kill "$processor"
  wait "$processor" || fail "the old processor"
  echo "the old processor is stopped: it sent $(wc -l <sent) of the orders; $(redis-cli -p "$old" LLEN order_queue) are in the list"

  show import-list order_queue --from "$from" --end "$1" --dry-run
  "$orderq" "${settings[@]}" import-list order_queue --from "$from" --end "$1" --yes --rate 1000 >killed.log 2>&1 &
  import=$!
  await removed_some
  kill -9 "$import" 2>/dev/null || fail "the import ended before it was killed"
  wait "$import" 2>/dev/null || true
  echo "orderq import-list was killed (kill -9) after $(removed) items"
  wait "$pusher" || fail "the pusher"
  show import-list order_queue --from "$from" --end "$1" --yes

  "$orderq" "${settings[@]}" consumer --set "consumer.api.url=http://127.0.0.1:$web/" --set consumer.pace=1000/s \
    --set queue.max_in_flight=1 --set consumer.admin= >consumer.log 2>&1 &
  consumer=$!
  await sent_all
  kill "$consumer"
  wait "$consumer" || fail "the consumer; see: $(tail -3 consumer.log)"
  php -r 'for ($i = 1; $i <= (int) $argv[1]; $i++)
    echo json_encode(["order_id" => "P-$i", "item" => "茶 \"$i\"", "amount" => $i * 10 / 4]), "\n";' "$orders" >pushed
  cmp pushed sent || fail "the partner has not what was pushed"
  [ "$(redis-cli -p "$old" EXISTS order_queue)" = 0 ] || fail "something is left in the list"
  echo "ok: the partner has all $orders orders, each once, in order, byte for byte"
}

drill head rPush lPop
drill tail lPush rPop
